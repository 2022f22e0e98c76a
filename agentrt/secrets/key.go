package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

const (
	keySize  = 32
	saltSize = 16
	// iterations of PBKDF2-HMAC-SHA256 for a passphrase: some 0.1 s at a start.
	iterations = 600_000
	// minPassphrase is the shortest passphrase, in bytes.
	minPassphrase = 16
)

// GenerateKey returns a random key as text for AGENTRT_SECRETS_KEY: 32 bytes in
// base64.
func GenerateKey() string {
	key := make([]byte, keySize)
	rand.Read(key)
	return base64.StdEncoding.EncodeToString(key)
}

// masterKey is what AGENTRT_SECRETS_KEY says: 32 bytes in hexadecimal or base64,
// or a passphrase from which PBKDF2 makes them (RFC 8018).
type masterKey struct {
	raw        []byte
	passphrase string
}

func parseKey(text string) (masterKey, error) {
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString,
		base64.RawStdEncoding.DecodeString, base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString} {
		if raw, err := decode(text); err == nil && len(raw) == keySize {
			return masterKey{raw: raw}, nil
		}
	}
	if len(text) < minPassphrase {
		return masterKey{}, fmt.Errorf("the key for secrets has %d bytes: use what \"agentrt secrets keygen\" prints, or a passphrase of at least %d bytes", len(text), minPassphrase)
	}
	return masterKey{passphrase: text}, nil
}

// sealer encrypts with AES-256-GCM; each text starts with its random nonce.
func (k masterKey) sealer(salt []byte) (sealer, error) {
	raw := k.raw
	if raw == nil {
		var err error
		if raw, err = pbkdf2.Key(sha256.New, k.passphrase, salt, iterations, keySize); err != nil {
			return sealer{}, err
		}
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{aead}, err
}

type sealer struct{ aead cipher.AEAD }

// What a text was encrypted for, as additional data.
const (
	forCheck  = "agentrt key check"
	forSecret = "agentrt secret "
)

func (s sealer) seal(text, purpose string) []byte {
	return s.aead.Seal(nil, nil, []byte(text), []byte(purpose))
}

func (s sealer) open(sealed []byte, purpose string) (string, error) {
	text, err := s.aead.Open(nil, nil, sealed, []byte(purpose))
	return string(text), err
}
