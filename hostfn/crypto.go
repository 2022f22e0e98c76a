package hostfn

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/agentrt/agentrt/quickjs"
)

// maxHashIterations bounds the work of one derivation, in iterations times
// blocks of output: about half a second.
const maxHashIterations = 1_000_000

var hashes = map[string]func() hash.Hash{
	"SHA-1": sha1.New, "SHA-224": sha256.New224, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New, "MD5": md5.New,
}

func hashByName(name string) (func() hash.Hash, error) {
	h, ok := hashes[name]
	if !ok {
		return nil, notSupported("the hash %q is not supported", name)
	}
	return h, nil
}

func notSupported(format string, args ...any) error {
	return &quickjs.HostError{Name: "NotSupportedError", Message: fmt.Sprintf(format, args...)}
}

func operationError(format string, args ...any) error {
	return &quickjs.HostError{Name: "OperationError", Message: fmt.Sprintf(format, args...)}
}

// cut splits a body into consecutive parts; the last part is the rest.
func cut(body []byte, sizes ...int) ([][]byte, error) {
	out := make([][]byte, 0, len(sizes)+1)
	for _, n := range sizes {
		if n < 0 || n > len(body) {
			return nil, operationError("a part of %d bytes does not fit into a body of %d", n, len(body))
		}
		out = append(out, body[:n])
		body = body[n:]
	}
	return append(out, body), nil
}

// RegisterCrypto adds the operations behind crypto in crypto.ts. They are
// synchronous, so their time counts as the instance's CPU time, and they keep
// nothing: key bytes live in the instance, in private fields of CryptoKey, and
// come along as the first part of the body. Parts follow each other in the body;
// the head gives their sizes, the last part is the rest.
//
//	crypto.digest   head name; body data -> digest (SHA-1, -224, -256, -384, -512, MD5)
//	crypto.hmac     head {hash, key}; body key, data -> signature
//	crypto.verify   head {hash, key, signature}; body key, signature, data -> bool, in constant time
//	crypto.encrypt  head {key, iv, aad, tag}; body key, iv, aad, plain text -> AES-GCM cipher text and tag
//	crypto.decrypt  likewise; OperationError if the tag does not match
//	crypto.pbkdf2   head {hash, key, iterations, length}; body password, salt -> length bytes
//	crypto.hkdf     head {hash, key, salt, length}; body key, salt, info -> length bytes
//	crypto.equal    head size of the first; body both -> bool, in constant time
//
// PBKDF2 is limited to 1,000,000 iterations times blocks of output.
func RegisterCrypto(ops *quickjs.Ops) {
	quickjs.Sync(ops, "crypto.digest", digest)
	quickjs.Sync(ops, "crypto.hmac", func(_ context.Context, m quickjs.Message[macRequest]) ([]byte, error) {
		parts, err := cut(m.Body, m.Head.Key)
		if err != nil {
			return nil, err
		}
		return mac(m.Head.Hash, parts[0], parts[1])
	})
	quickjs.Sync(ops, "crypto.verify", func(_ context.Context, m quickjs.Message[macRequest]) (bool, error) {
		parts, err := cut(m.Body, m.Head.Key, m.Head.Signature)
		if err != nil {
			return false, err
		}
		want, err := mac(m.Head.Hash, parts[0], parts[2])
		return err == nil && hmac.Equal(want, parts[1]), err
	})
	quickjs.Sync(ops, "crypto.encrypt", func(_ context.Context, m quickjs.Message[gcmRequest]) ([]byte, error) {
		g, err := newGCM(m)
		if err != nil {
			return nil, err
		}
		sealed := g.aead.Seal(nil, g.iv, g.data, g.aad)
		return sealed[:len(g.data)+g.tag], nil
	})
	quickjs.Sync(ops, "crypto.decrypt", func(_ context.Context, m quickjs.Message[gcmRequest]) ([]byte, error) {
		g, err := newGCM(m)
		if err != nil {
			return nil, err
		}
		return g.open()
	})
	quickjs.Sync(ops, "crypto.pbkdf2", func(ctx context.Context, m quickjs.Message[derivation]) ([]byte, error) {
		parts, err := cut(m.Body, m.Head.Key)
		if err != nil {
			return nil, err
		}
		return pbkdf2(ctx, m.Head, parts[0], parts[1])
	})
	quickjs.Sync(ops, "crypto.hkdf", func(_ context.Context, m quickjs.Message[derivation]) ([]byte, error) {
		parts, err := cut(m.Body, m.Head.Key, m.Head.Salt)
		if err != nil {
			return nil, err
		}
		return hkdf(m.Head, parts[0], parts[1], parts[2])
	})
	quickjs.Sync(ops, "crypto.equal", func(_ context.Context, m quickjs.Message[int]) (bool, error) {
		parts, err := cut(m.Body, m.Head)
		return err == nil && hmac.Equal(parts[0], parts[1]), err
	})
}

type macRequest struct {
	Hash      string
	Key       int
	Signature int
}

type derivation struct {
	Hash       string
	Key        int
	Salt       int
	Iterations int
	Length     int
}

func digest(_ context.Context, m quickjs.Message[string]) ([]byte, error) {
	h, err := hashByName(m.Head)
	if err != nil {
		return nil, err
	}
	sum := h()
	sum.Write(m.Body)
	return sum.Sum(nil), nil
}

func mac(name string, key, data []byte) ([]byte, error) {
	h, err := hashByName(name)
	if err != nil {
		return nil, err
	}
	sum := hmac.New(h, key)
	sum.Write(data)
	return sum.Sum(nil), nil
}

// pbkdf2 is RFC 8018, 5.2, with a check of the context between rounds.
func pbkdf2(ctx context.Context, d derivation, password, salt []byte) ([]byte, error) {
	h, err := hashByName(d.Hash)
	if err != nil {
		return nil, err
	}
	if d.Iterations < 1 {
		return nil, operationError("PBKDF2 needs at least one iteration")
	}
	prf := hmac.New(h, password)
	blocks := (max(d.Length, 0) + prf.Size() - 1) / prf.Size()
	if d.Iterations > maxHashIterations || blocks > maxHashIterations/d.Iterations {
		return nil, operationError("PBKDF2 with %d iterations for %d bytes is above the limit of %d iterations in total", d.Iterations, d.Length, maxHashIterations)
	}
	out := make([]byte, 0, blocks*prf.Size())
	u, t := make([]byte, 0, prf.Size()), make([]byte, prf.Size())
	for block := 1; block <= blocks; block++ {
		prf.Reset()
		prf.Write(salt)
		prf.Write(binary.BigEndian.AppendUint32(nil, uint32(block)))
		u = prf.Sum(u[:0])
		copy(t, u)
		for n := 1; n < d.Iterations; n++ {
			if n%4096 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			prf.Reset()
			prf.Write(u)
			u = prf.Sum(u[:0])
			for i, b := range u {
				t[i] ^= b
			}
		}
		out = append(out, t...)
	}
	return out[:d.Length], nil
}

// hkdf is RFC 5869; an empty salt is one of zeros.
func hkdf(d derivation, key, salt, info []byte) ([]byte, error) {
	h, err := hashByName(d.Hash)
	if err != nil {
		return nil, err
	}
	size := h().Size()
	if d.Length < 0 || d.Length > 255*size {
		return nil, operationError("HKDF gives at most %d bytes with %s, not %d", 255*size, d.Hash, d.Length)
	}
	extract := hmac.New(h, salt)
	extract.Write(key)
	expand := hmac.New(h, extract.Sum(nil))
	var out, t []byte
	for n := byte(1); len(out) < d.Length; n++ {
		expand.Reset()
		expand.Write(t)
		expand.Write(info)
		expand.Write([]byte{n})
		t = expand.Sum(nil)
		out = append(out, t...)
	}
	return out[:d.Length], nil
}

type gcmRequest struct {
	Key, IV, AAD int
	// Tag is the size of the tag in bytes.
	Tag int
}

type gcm struct {
	aead          cipher.AEAD
	iv, aad, data []byte
	tag           int
}

func newGCM(m quickjs.Message[gcmRequest]) (*gcm, error) {
	parts, err := cut(m.Body, m.Head.Key, m.Head.IV, m.Head.AAD)
	if err != nil {
		return nil, err
	}
	g := &gcm{iv: parts[1], aad: parts[2], data: parts[3], tag: m.Head.Tag}
	if len(g.iv) == 0 || g.tag < 4 || g.tag > 16 {
		return nil, operationError("AES-GCM needs an iv and a tag of 4 to 16 bytes")
	}
	block, err := aes.NewCipher(parts[0])
	if err != nil {
		return nil, operationError("an AES key has 16, 24 or 32 bytes, not %d", len(parts[0]))
	}
	g.aead, err = cipher.NewGCMWithNonceSize(block, len(g.iv))
	return g, err
}

// open decrypts and checks a tag that may be shorter than 16 bytes: encrypting
// what came out gives the whole tag, whose start must be the one received.
func (g *gcm) open() ([]byte, error) {
	n := len(g.data) - g.tag
	if n < 0 {
		return nil, operationError("the cipher text is shorter than its tag of %d bytes", g.tag)
	}
	mismatch := operationError("the cipher text does not match its tag: wrong key, iv or additional data, or changed bytes")
	if g.tag == 16 {
		plain, err := g.aead.Open(nil, g.iv, g.data, g.aad)
		if err != nil {
			return nil, mismatch
		}
		return plain, nil
	}
	// The key stream does not depend on the text.
	plain := g.aead.Seal(nil, g.iv, g.data[:n], g.aad)[:n]
	sealed := g.aead.Seal(nil, g.iv, plain, g.aad)
	if !hmac.Equal(sealed[n:n+g.tag], g.data[n:]) {
		return nil, mismatch
	}
	return plain, nil
}
