package hostfn

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/binary"
	"math/big"

	"github.com/agentrt/agentrt/quickjs"
)

var hashIDs = map[string]crypto.Hash{"SHA-1": crypto.SHA1, "SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384, "SHA-512": crypto.SHA512}

type pairSignature struct {
	Algorithm      string
	Hash           string
	Salt           int
	Key, Signature int
}

// hashed returns the digest of data; for Ed25519 the data themselves.
func (r pairSignature) hashed(data []byte) (crypto.Hash, []byte, error) {
	if r.Algorithm == "Ed25519" {
		return 0, data, nil
	}
	id, ok := hashIDs[r.Hash]
	if !ok {
		return 0, nil, notSupported("the hash %q is not supported", r.Hash)
	}
	h := id.New()
	h.Write(data)
	return id, h.Sum(nil), nil
}

func signPair(_ context.Context, m quickjs.Message[pairSignature]) ([]byte, error) {
	parts, err := cut(m.Body, m.Head.Key)
	if err != nil {
		return nil, err
	}
	key, err := parseKey(parts[0])
	if err != nil {
		return nil, err
	}
	id, sum, err := m.Head.hashed(parts[1])
	if err != nil {
		return nil, err
	}
	var signature []byte
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if m.Head.Algorithm != "RSA-PSS" {
			signature, err = rsa.SignPKCS1v15(nil, key, id, sum)
			break
		}
		if m.Head.Salt == 0 {
			return nil, notSupported("RSA-PSS does not sign without a salt: use a saltLength of %d", id.Size())
		}
		signature, err = rsa.SignPSS(rand.Reader, key, id, sum, &rsa.PSSOptions{SaltLength: m.Head.Salt})
	case *ecdsa.PrivateKey:
		return signECDSA(key, sum)
	case ed25519.PrivateKey:
		return ed25519.Sign(key, sum), nil
	default:
		return nil, operationError("the key cannot sign")
	}
	if err != nil {
		return nil, operationError("signing failed: %v", err)
	}
	return signature, nil
}

// signECDSA returns r and s in the size of the curve's order, as the standard has them.
func signECDSA(key *ecdsa.PrivateKey, sum []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, key, sum)
	if err != nil {
		return nil, operationError("signing failed: %v", err)
	}
	size := (key.Curve.Params().N.BitLen() + 7) / 8
	out := make([]byte, 2*size)
	r.FillBytes(out[:size])
	s.FillBytes(out[size:])
	return out, nil
}

func checkPair(_ context.Context, m quickjs.Message[pairSignature]) (bool, error) {
	parts, err := cut(m.Body, m.Head.Key, m.Head.Signature)
	if err != nil {
		return false, err
	}
	key, err := parseKey(parts[0])
	if err != nil {
		return false, err
	}
	id, sum, err := m.Head.hashed(parts[2])
	if err != nil {
		return false, err
	}
	signature := parts[1]
	switch key := key.(type) {
	case *rsa.PublicKey:
		switch {
		case m.Head.Algorithm != "RSA-PSS":
			return rsa.VerifyPKCS1v15(key, id, sum, signature) == nil, nil
		case m.Head.Salt == 0:
			return verifyUnsalted(key, id, sum, signature), nil
		}
		return rsa.VerifyPSS(key, id, sum, signature, &rsa.PSSOptions{SaltLength: m.Head.Salt}) == nil, nil
	case *ecdsa.PublicKey:
		size := (key.Curve.Params().N.BitLen() + 7) / 8
		if len(signature) != 2*size {
			return false, nil
		}
		return ecdsa.Verify(key, sum, new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])), nil
	case ed25519.PublicKey:
		if smallOrder(key) || len(signature) == ed25519.SignatureSize && smallOrder(signature[:32]) {
			return false, nil
		}
		return ed25519.Verify(key, sum, signature), nil
	}
	return false, operationError("the key cannot verify")
}

// verifyUnsalted is RFC 8017, 8.1.2, for a salt of no bytes, which crypto/rsa
// takes for "any": the encoded message then follows from the hash.
func verifyUnsalted(key *rsa.PublicKey, id crypto.Hash, sum, signature []byte) bool {
	bits := key.N.BitLen() - 1
	encoded := make([]byte, (bits+7)/8)
	h := id.New()
	if len(signature) != (key.N.BitLen()+7)/8 || len(encoded) < h.Size()+2 {
		return false
	}
	h.Write(make([]byte, 8))
	h.Write(sum)
	digest := h.Sum(nil)
	block := encoded[:len(encoded)-h.Size()-1]
	block[len(block)-1] = 1
	for n := uint32(0); int(n)*h.Size() < len(block); n++ {
		h.Reset()
		h.Write(digest)
		h.Write(binary.BigEndian.AppendUint32(nil, n))
		part := block[int(n)*h.Size():]
		subtle.XORBytes(part, part, h.Sum(nil))
	}
	encoded[0] &= 0xff >> (8*len(encoded) - bits)
	copy(encoded[len(block):], digest)
	encoded[len(encoded)-1] = 0xbc
	s := new(big.Int).SetBytes(signature)
	return s.Cmp(key.N) < 0 && s.Exp(s, big.NewInt(int64(key.E)), key.N).Cmp(new(big.Int).SetBytes(encoded)) == 0
}

// smallOrderY are the y coordinates of the eight points of small order on
// edwards25519, little-endian, with the encodings that are not reduced.
var smallOrderY = [][]byte{
	littleEndian("0"), littleEndian("1"),
	littleEndian("2707385501144840649318225287225658788936804267575313519463743609750303402022"),
	littleEndian("55188659117513257062467267217118295137698188065244968500265048394206261417927"),
	littleEndian("57896044618658097711785492504343953926634992332820282019728792003956564819948"),
	littleEndian("57896044618658097711785492504343953926634992332820282019728792003956564819949"),
	littleEndian("57896044618658097711785492504343953926634992332820282019728792003956564819950"),
}

func littleEndian(decimal string) []byte {
	n, _ := new(big.Int).SetString(decimal, 10)
	out := n.FillBytes(make([]byte, 32))
	for i := range 16 {
		out[i], out[31-i] = out[31-i], out[i]
	}
	return out
}

// smallOrder tells whether an encoded point has small order; such keys and
// signatures hold for many messages, so the standard refuses them.
func smallOrder(point []byte) bool {
	y := bytes.Clone(point)
	y[31] &= 0x7f
	for _, small := range smallOrderY {
		if bytes.Equal(y, small) {
			return true
		}
	}
	return false
}

func agree(_ context.Context, m quickjs.Message[pairSignature]) ([]byte, error) {
	parts, err := cut(m.Body, m.Head.Key)
	if err != nil {
		return nil, err
	}
	private, err := parseKey(parts[0])
	if err != nil {
		return nil, err
	}
	public, err := parseKey(parts[1])
	if err != nil {
		return nil, err
	}
	if key, ok := private.(*ecdsa.PrivateKey); ok {
		if private, err = key.ECDH(); err != nil {
			return nil, operationError("the private key cannot agree on a secret: %v", err)
		}
	}
	if key, ok := public.(*ecdsa.PublicKey); ok {
		if public, err = key.ECDH(); err != nil {
			return nil, operationError("the public key cannot agree on a secret: %v", err)
		}
	}
	own, ok := private.(*ecdh.PrivateKey)
	other, ok2 := public.(*ecdh.PublicKey)
	if !ok || !ok2 {
		return nil, operationError("the keys cannot agree on a secret")
	}
	secret, err := own.ECDH(other)
	if err != nil {
		return nil, operationError("the keys give no secret: %v", err)
	}
	return secret, nil
}

type cipherRequest struct {
	Algorithm string
	Decrypt   bool
	Key, IV   int
	// Bits is the size of AES-CTR's counter.
	Bits int
	Hash string
}

func runCipher(_ context.Context, m quickjs.Message[cipherRequest]) ([]byte, error) {
	r := m.Head
	parts, err := cut(m.Body, r.Key, r.IV)
	if err != nil {
		return nil, err
	}
	key, iv, data := parts[0], parts[1], parts[2]
	if r.Algorithm == "RSA-OAEP" {
		return runOAEP(r, key, iv, data)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, operationError("an AES key has 16, 24 or 32 bytes, not %d", len(key))
	}
	if len(iv) != aes.BlockSize && r.Algorithm != "AES-KW" {
		return nil, operationError("%s needs an iv or counter of %d bytes, not %d", r.Algorithm, aes.BlockSize, len(iv))
	}
	switch {
	case r.Algorithm == "AES-CBC" && r.Decrypt:
		return openCBC(block, iv, data)
	case r.Algorithm == "AES-CBC":
		n := aes.BlockSize - len(data)%aes.BlockSize
		out := append(bytes.Clone(data), bytes.Repeat([]byte{byte(n)}, n)...)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
		return out, nil
	case r.Algorithm == "AES-CTR":
		return runCTR(block, iv, r.Bits, data)
	case r.Algorithm == "AES-KW" && r.Decrypt:
		return unwrap(block, data)
	case r.Algorithm == "AES-KW":
		return wrap(block, data)
	}
	return nil, notSupported("the cipher %q is not supported", r.Algorithm)
}

func runOAEP(r cipherRequest, der, label, data []byte) ([]byte, error) {
	key, err := parseKey(der)
	if err != nil {
		return nil, err
	}
	id, ok := hashIDs[r.Hash]
	if !ok {
		return nil, notSupported("the hash %q is not supported", r.Hash)
	}
	var out []byte
	switch key := key.(type) {
	case *rsa.PublicKey:
		out, err = rsa.EncryptOAEP(id.New(), rand.Reader, key, data, label)
	case *rsa.PrivateKey:
		out, err = rsa.DecryptOAEP(id.New(), nil, key, data, label)
	default:
		return nil, operationError("the key is not for RSA-OAEP")
	}
	if err != nil {
		return nil, operationError("RSA-OAEP failed: %v", err)
	}
	return out, nil
}

func openCBC(block cipher.Block, iv, data []byte) ([]byte, error) {
	if len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, operationError("AES-CBC gives multiples of %d bytes, not %d", aes.BlockSize, len(data))
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, data)
	n := int(out[len(out)-1])
	if n == 0 || n > aes.BlockSize || !bytes.Equal(out[len(out)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, operationError("the cipher text cannot be decrypted: wrong key, iv or changed bytes")
	}
	return out[:len(out)-n], nil
}

// runCTR counts in the last bits of the counter only: where they overflow, the
// others stay.
func runCTR(block cipher.Block, counter []byte, bits int, data []byte) ([]byte, error) {
	if bits < 1 || bits > 128 {
		return nil, operationError("AES-CTR's counter has 1 to 128 bits, not %d", bits)
	}
	values := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	blocks := big.NewInt(int64((len(data) + aes.BlockSize - 1) / aes.BlockSize))
	if blocks.Cmp(values) > 0 {
		return nil, operationError("a counter of %d bits is too short for %d bytes", bits, len(data))
	}
	start := new(big.Int).SetBytes(counter)
	used := new(big.Int).Mod(start, values)
	first := len(data)
	if left := new(big.Int).Sub(values, used); left.Cmp(blocks) < 0 {
		first = int(left.Int64()) * aes.BlockSize
	}
	out := make([]byte, len(data))
	cipher.NewCTR(block, counter).XORKeyStream(out[:first], data[:first])
	if first < len(data) {
		again := start.Sub(start, used).FillBytes(make([]byte, aes.BlockSize))
		cipher.NewCTR(block, again).XORKeyStream(out[first:], data[first:])
	}
	return out, nil
}

// wrapIV is the initial value of RFC 3394, 2.2.3.1.
const wrapIV = 0xa6a6a6a6a6a6a6a6

// wrap is RFC 3394, 2.2.1.
func wrap(block cipher.Block, data []byte) ([]byte, error) {
	if len(data) < 16 || len(data)%8 != 0 {
		return nil, operationError("AES-KW wraps multiples of 8 bytes, at least 16, not %d", len(data))
	}
	out := append(binary.BigEndian.AppendUint64(nil, wrapIV), data...)
	var b [16]byte
	copy(b[:8], out)
	n := len(data) / 8
	for t := 1; t <= 6*n; t++ {
		r := out[8+(t-1)%n*8:][:8]
		copy(b[8:], r)
		block.Encrypt(b[:], b[:])
		binary.BigEndian.PutUint64(b[:8], binary.BigEndian.Uint64(b[:8])^uint64(t))
		copy(r, b[8:])
	}
	copy(out, b[:8])
	return out, nil
}

// unwrap is RFC 3394, 2.2.2.
func unwrap(block cipher.Block, data []byte) ([]byte, error) {
	if len(data) < 24 || len(data)%8 != 0 {
		return nil, operationError("AES-KW gives multiples of 8 bytes, at least 24, not %d", len(data))
	}
	out := bytes.Clone(data)
	var b [16]byte
	copy(b[:8], out)
	n := len(data)/8 - 1
	for t := 6 * n; t >= 1; t-- {
		r := out[8+(t-1)%n*8:][:8]
		copy(b[8:], r)
		binary.BigEndian.PutUint64(b[:8], binary.BigEndian.Uint64(b[:8])^uint64(t))
		block.Decrypt(b[:], b[:])
		copy(r, b[8:])
	}
	if subtle.ConstantTimeCompare(b[:8], binary.BigEndian.AppendUint64(nil, wrapIV)) != 1 {
		return nil, operationError("the key cannot be unwrapped: wrong key or changed bytes")
	}
	return out[8:], nil
}
