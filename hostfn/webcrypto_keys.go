package hostfn

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"

	"github.com/agentrt/agentrt/quickjs"
)

const (
	// maxGeneratedRSA bounds a new RSA key, in bits: some seconds of computing.
	maxGeneratedRSA = 4096
	// maxRSA bounds an RSA key that is imported, in bits: a signature takes some 50 ms.
	maxRSA = 8192
	minRSA = 1024
)

// RegisterWebCrypto adds the operations on key pairs behind crypto.subtle, and
// the ciphers beside AES-GCM. They are synchronous and keep nothing: a private
// key is PKCS #8 and a public key SubjectPublicKeyInfo, in the body. The kinds of
// keys are RSA, EC, Ed25519 and X25519. Parts follow each other as in
// RegisterCrypto.
//
//	crypto.generate  {kind, curve, bits}              -> {private} private key, public key; private is the first one's size
//	crypto.import    {kind, format, curve, jwk}, body -> {type, curve, bits, exponent} key; format is raw, spki, pkcs8 or jwk
//	crypto.export    {format}, key                    -> key as raw, or as the members of a JSON Web Key
//	crypto.signPair  {algorithm, hash, salt, key}     -> signature of the data after the key
//	crypto.checkPair {… signature}                    -> bool for key, signature, data
//	crypto.cipher    {algorithm, decrypt, key, iv, bits, hash} -> the data after key and iv (counter, label) en- or decrypted
//	crypto.agree     {key}                            -> shared secret of a private and a public key
//
// RSA keys have 1,024 to 8,192 bits, new ones at most 4,096 and the exponent
// 65537. RSA-PSS does not sign without a salt.
func RegisterWebCrypto(ops *quickjs.Ops) {
	quickjs.Sync(ops, "crypto.generate", generatePair)
	quickjs.Sync(ops, "crypto.import", importKey)
	quickjs.Sync(ops, "crypto.export", exportKey)
	quickjs.Sync(ops, "crypto.signPair", signPair)
	quickjs.Sync(ops, "crypto.checkPair", checkPair)
	quickjs.Sync(ops, "crypto.cipher", runCipher)
	quickjs.Sync(ops, "crypto.agree", agree)
}

func dataError(format string, args ...any) error {
	return &quickjs.HostError{Name: "DataError", Message: fmt.Sprintf(format, args...)}
}

var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

func curveByName(name string) (elliptic.Curve, error) {
	c, ok := curves[name]
	if !ok {
		return nil, notSupported("the curve %q is not supported; P-256, P-384 and P-521 are", name)
	}
	return c, nil
}

type pairRequest struct {
	Kind  string
	Curve string
	Bits  int
}

type pairSizes struct {
	Private int `json:"private"`
}

func generatePair(_ context.Context, r pairRequest) (quickjs.Message[pairSizes], error) {
	var none quickjs.Message[pairSizes]
	private, public, err := newPair(r)
	if err != nil {
		return none, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return none, operationError("the key cannot be encoded: %v", err)
	}
	other, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return none, operationError("the key cannot be encoded: %v", err)
	}
	return quickjs.Message[pairSizes]{Head: pairSizes{len(key)}, Body: append(key, other...)}, nil
}

func newPair(r pairRequest) (private, public any, err error) {
	switch r.Kind {
	case "RSA":
		if r.Bits < minRSA || r.Bits > maxGeneratedRSA {
			return nil, nil, operationError("a new RSA key has %d to %d bits, not %d", minRSA, maxGeneratedRSA, r.Bits)
		}
		key, err := rsa.GenerateKey(rand.Reader, r.Bits)
		if err != nil {
			return nil, nil, operationError("no RSA key of %d bits: %v", r.Bits, err)
		}
		return key, &key.PublicKey, nil
	case "EC":
		curve, err := curveByName(r.Curve)
		if err != nil {
			return nil, nil, err
		}
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		return key, &key.PublicKey, nil
	case "Ed25519":
		public, private, err := ed25519.GenerateKey(rand.Reader)
		return private, public, err
	case "X25519":
		key, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		return key, key.PublicKey(), nil
	}
	return nil, nil, notSupported("keys of the kind %q are not supported", r.Kind)
}

type importRequest struct {
	Kind   string
	Format string
	Curve  string
	JWK    jwk
}

// jwk has the members of https://www.rfc-editor.org/rfc/rfc7518#section-6 that hold key material.
type jwk struct {
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	D   string `json:"d,omitempty"`
	P   string `json:"p,omitempty"`
	Q   string `json:"q,omitempty"`
	DP  string `json:"dp,omitempty"`
	DQ  string `json:"dq,omitempty"`
	QI  string `json:"qi,omitempty"`
}

type keyInfo struct {
	Type  string `json:"type"`
	Curve string `json:"curve,omitempty"`
	Bits  int    `json:"bits,omitempty"`
	// Exponent is in big-endian bytes.
	Exponent []int `json:"exponent,omitempty"`
}

func importKey(_ context.Context, m quickjs.Message[importRequest]) (quickjs.Message[keyInfo], error) {
	key, err := readKey(m.Head, m.Body)
	if err == nil {
		return describeKey(m.Head, key)
	}
	if _, ok := err.(*quickjs.HostError); !ok {
		err = dataError("the key data is not a valid %s key as %s: %v", m.Head.Kind, m.Head.Format, err)
	}
	return quickjs.Message[keyInfo]{}, err
}

func readKey(r importRequest, data []byte) (any, error) {
	switch r.Format {
	case "spki":
		key, err := x509.ParsePKIXPublicKey(data)
		if err != nil && r.Kind == "EC" {
			return compressedKey(data)
		}
		return key, err
	case "pkcs8":
		return x509.ParsePKCS8PrivateKey(data)
	case "raw":
		return rawPublicKey(r.Kind, r.Curve, data)
	case "jwk":
		return jwkKey(r)
	}
	return nil, notSupported("the format %q is not supported", r.Format)
}

// compressedKey reads a public key whose point is compressed, which x509 refuses.
func compressedKey(data []byte) (any, error) {
	var info struct {
		Algorithm struct{ ID, Curve asn1.ObjectIdentifier }
		Key       asn1.BitString
	}
	if rest, err := asn1.Unmarshal(data, &info); err != nil || len(rest) > 0 {
		return nil, dataError("the key data is not a SubjectPublicKeyInfo")
	}
	for name, oid := range map[string]asn1.ObjectIdentifier{"P-256": {1, 2, 840, 10045, 3, 1, 7}, "P-384": {1, 3, 132, 0, 34}, "P-521": {1, 3, 132, 0, 35}} {
		if info.Algorithm.ID.Equal(asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}) && info.Algorithm.Curve.Equal(oid) {
			return rawPublicKey("EC", name, info.Key.RightAlign())
		}
	}
	return nil, dataError("the key data is for no known curve")
}

func rawPublicKey(kind, name string, data []byte) (any, error) {
	switch kind {
	case "EC":
		curve, err := curveByName(name)
		if err != nil {
			return nil, err
		}
		if size := (curve.Params().BitSize + 7) / 8; len(data) == 1+size && (data[0] == 2 || data[0] == 3) {
			x, y := elliptic.UnmarshalCompressed(curve, data)
			if x == nil {
				return nil, dataError("the point is not on the curve %s", name)
			}
			return point(curve, x.FillBytes(make([]byte, size)), y.FillBytes(make([]byte, size)))
		}
		return ecdsa.ParseUncompressedPublicKey(curve, data)
	case "Ed25519":
		if len(data) != ed25519.PublicKeySize {
			return nil, dataError("an Ed25519 public key has %d bytes, not %d", ed25519.PublicKeySize, len(data))
		}
		return ed25519.PublicKey(bytes.Clone(data)), nil
	case "X25519":
		return ecdh.X25519().NewPublicKey(data)
	}
	return nil, notSupported("a key of the kind %s has no raw form", kind)
}

// point returns the public key with the coordinates.
func point(curve elliptic.Curve, x, y []byte) (*ecdsa.PublicKey, error) {
	size := (curve.Params().BitSize + 7) / 8
	if len(x) != size || len(y) != size {
		return nil, dataError("a coordinate has %d bytes, not %d and %d", size, len(x), len(y))
	}
	return ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, x...), y...))
}

func jwkKey(r importRequest) (any, error) {
	var bad error
	member := func(name, text string) []byte {
		out, err := base64.RawURLEncoding.DecodeString(text)
		if (err != nil || text == "") && bad == nil {
			bad = dataError("the JSON Web Key has no %s in base64url", name)
		}
		return out
	}
	private := r.JWK.D != ""
	switch r.Kind {
	case "RSA":
		n, e := new(big.Int).SetBytes(member("n", r.JWK.N)), new(big.Int).SetBytes(member("e", r.JWK.E))
		if bad == nil && (e.BitLen() > 31 || n.BitLen() > maxRSA) {
			return nil, dataError("the RSA key has %d bits, of at most %d, and an exponent of %d bits, of at most 31", n.BitLen(), maxRSA, e.BitLen())
		}
		public := rsa.PublicKey{N: n, E: int(e.Int64())}
		if !private {
			return &public, bad
		}
		number := func(name, text string) *big.Int { return new(big.Int).SetBytes(member(name, text)) }
		key := &rsa.PrivateKey{PublicKey: public, D: number("d", r.JWK.D), Primes: []*big.Int{number("p", r.JWK.P), number("q", r.JWK.Q)}}
		member("dp", r.JWK.DP)
		member("dq", r.JWK.DQ)
		member("qi", r.JWK.QI)
		if bad != nil {
			return nil, bad
		}
		key.Precompute()
		return key, key.Validate()
	case "EC":
		if r.JWK.Crv != r.Curve {
			return nil, dataError("the JSON Web Key is for the curve %q, not %q", r.JWK.Crv, r.Curve)
		}
		curve, err := curveByName(r.Curve)
		if err != nil {
			return nil, err
		}
		x, y := member("x", r.JWK.X), member("y", r.JWK.Y)
		if bad != nil {
			return nil, bad
		}
		public, err := point(curve, x, y)
		if err != nil || !private {
			return public, err
		}
		d := member("d", r.JWK.D)
		if bad != nil {
			return nil, bad
		}
		key, err := ecdsa.ParseRawPrivateKey(curve, d)
		if err == nil && !key.PublicKey.Equal(public) {
			return nil, dataError("x and y of the JSON Web Key do not belong to d")
		}
		return key, err
	case "Ed25519", "X25519":
		if r.JWK.Crv != r.Kind {
			return nil, dataError("the JSON Web Key is for the curve %q, not %q", r.JWK.Crv, r.Kind)
		}
		x := member("x", r.JWK.X)
		if bad != nil {
			return nil, bad
		}
		public, err := rawPublicKey(r.Kind, "", x)
		if err != nil || !private {
			return public, err
		}
		d := member("d", r.JWK.D)
		if bad != nil {
			return nil, bad
		}
		key, own, err := octetKey(r.Kind, d)
		if err == nil && !bytes.Equal(own, x) {
			return nil, dataError("x of the JSON Web Key does not belong to d")
		}
		return key, err
	}
	return nil, notSupported("keys of the kind %q are not supported", r.Kind)
}

func octetKey(kind string, d []byte) (key any, public []byte, err error) {
	if kind == "X25519" {
		key, err := ecdh.X25519().NewPrivateKey(d)
		if err != nil {
			return nil, nil, err
		}
		return key, key.PublicKey().Bytes(), nil
	}
	if len(d) != ed25519.SeedSize {
		return nil, nil, dataError("an Ed25519 private key has %d bytes, not %d", ed25519.SeedSize, len(d))
	}
	private := ed25519.NewKeyFromSeed(d)
	return private, private[ed25519.SeedSize:], nil
}

// describeKey checks that a key is what was asked for and gives its facts and
// canonical form.
func describeKey(r importRequest, key any) (m quickjs.Message[keyInfo], err error) {
	var public any
	switch key := key.(type) {
	case *rsa.PrivateKey:
		public = &key.PublicKey
	case *ecdsa.PrivateKey:
		public = &key.PublicKey
	case ed25519.PrivateKey:
		public = key.Public()
	case *ecdh.PrivateKey:
		public = key.PublicKey()
	}
	if public != nil {
		m.Head.Type = "private"
		m.Body, err = x509.MarshalPKCS8PrivateKey(key)
	} else {
		m.Head.Type, public = "public", key
		m.Body, err = x509.MarshalPKIXPublicKey(key)
	}
	if err != nil {
		return m, dataError("the key is not supported: %v", err)
	}
	kind := ""
	switch public := public.(type) {
	case *rsa.PublicKey:
		kind, m.Head.Bits = "RSA", public.N.BitLen()
		for _, b := range big.NewInt(int64(public.E)).Bytes() {
			m.Head.Exponent = append(m.Head.Exponent, int(b))
		}
		if m.Head.Bits > maxRSA {
			return m, dataError("the RSA key has %d bits, of at most %d", m.Head.Bits, maxRSA)
		}
	case *ecdsa.PublicKey:
		kind, m.Head.Curve = "EC", public.Curve.Params().Name
	case ed25519.PublicKey:
		kind = "Ed25519"
	case *ecdh.PublicKey:
		if public.Curve() == ecdh.X25519() {
			kind = "X25519"
		}
	}
	if kind != r.Kind || kind == "EC" && m.Head.Curve != r.Curve {
		return m, dataError("the key data is for %s %s, not %s %s", kind, m.Head.Curve, r.Kind, r.Curve)
	}
	return m, nil
}

// parseKey reads a key in its canonical form.
func parseKey(der []byte) (any, error) {
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, operationError("the key is damaged: %v", err)
	}
	return key, nil
}

type exportRequest struct {
	Format string
}

func exportKey(_ context.Context, m quickjs.Message[exportRequest]) (out quickjs.Message[jwk], err error) {
	key, err := parseKey(m.Body)
	if err != nil {
		return out, err
	}
	out.Body = []byte{}
	raw, h := []byte(nil), &out.Head
	text := base64.RawURLEncoding.EncodeToString
	rsaMembers := func(k *rsa.PublicKey) {
		h.N, h.E = text(k.N.Bytes()), text(big.NewInt(int64(k.E)).Bytes())
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		rsaMembers(&k.PublicKey)
		h.D, h.P, h.Q = text(k.D.Bytes()), text(k.Primes[0].Bytes()), text(k.Primes[1].Bytes())
		h.DP, h.DQ, h.QI = text(k.Precomputed.Dp.Bytes()), text(k.Precomputed.Dq.Bytes()), text(k.Precomputed.Qinv.Bytes())
	case *rsa.PublicKey:
		rsaMembers(k)
	case *ecdsa.PrivateKey:
		d, err := k.Bytes()
		if err != nil {
			return out, operationError("the key cannot be encoded: %v", err)
		}
		h.D = text(d)
		if raw, err = k.PublicKey.Bytes(); err != nil {
			return out, operationError("the key cannot be encoded: %v", err)
		}
		h.Crv = k.Curve.Params().Name
	case *ecdsa.PublicKey:
		if raw, err = k.Bytes(); err != nil {
			return out, operationError("the key cannot be encoded: %v", err)
		}
		h.Crv = k.Curve.Params().Name
	case ed25519.PrivateKey:
		h.Crv, h.D, raw = "Ed25519", text(k.Seed()), k[ed25519.SeedSize:]
	case ed25519.PublicKey:
		h.Crv, raw = "Ed25519", k
	case *ecdh.PrivateKey:
		h.Crv, h.D, raw = "X25519", text(k.Bytes()), k.PublicKey().Bytes()
	case *ecdh.PublicKey:
		h.Crv, raw = "X25519", k.Bytes()
	}
	switch {
	case m.Head.Format == "raw":
		return quickjs.Message[jwk]{Body: raw}, nil
	case h.Crv == "Ed25519" || h.Crv == "X25519":
		h.X = text(raw)
	case h.Crv != "":
		size := (len(raw) - 1) / 2
		h.X, h.Y = text(raw[1:1+size]), text(raw[1+size:])
	}
	return out, nil
}
