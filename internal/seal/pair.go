package seal

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"reflect"
	"unsafe"
)

// pair is the key pair that peers seal data keys to.
type pair struct {
	number  uint64
	public  []byte
	curve   *ecdh.PrivateKey
	private hpke.PrivateKey
}

func newPair(number uint64) (*pair, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cannot make a key pair: %w", err)
	}
	private, err := hpke.NewDHKEMPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("cannot make a key pair: %w", err)
	}
	return &pair{number: number, public: key.PublicKey().Bytes(), curve: key, private: private}, nil
}

// erase overwrites the private key: crypto/ecdh keeps the scalar in slices of its own.
func (x *pair) erase() {
	if x == nil {
		return
	}
	wipeSlices(reflect.ValueOf(x.curve), 0)
	x.curve, x.private = nil, nil
}

// wipeSlices overwrites the byte slices named privateKey and d behind a pointer of crypto/ecdh.
func wipeSlices(v reflect.Value, depth int) {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || depth > 3 {
		return
	}
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Uint8 && (name == "privateKey" || name == "d"):
			clear(unsafe.Slice((*byte)(f.UnsafePointer()), f.Len()))
		case f.Kind() == reflect.Pointer && name == "fips":
			wipeSlices(f, depth+1)
		}
	}
}

// info binds what is sealed to its direction and to the receiver's key pair.
func info(from, to, keyNumber uint64) []byte {
	b := append([]byte(nil), "lethe data keys 1"...)
	b = binary.LittleEndian.AppendUint64(b, from)
	b = binary.LittleEndian.AppendUint64(b, to)
	return binary.LittleEndian.AppendUint64(b, keyNumber)
}

func sealTo(publicKey, info, plain []byte) ([]byte, error) {
	pub, err := ecdh.P256().NewPublicKey(publicKey)
	if err != nil {
		return nil, errMessage
	}
	to, err := hpke.NewDHKEMPublicKey(pub)
	if err != nil {
		return nil, errMessage
	}
	return hpke.Seal(to, hpke.HKDFSHA256(), hpke.AES256GCM(), info, plain)
}

func (x *pair) open(info, sealed []byte) ([]byte, error) {
	return hpke.Open(x.private, hpke.HKDFSHA256(), hpke.AES256GCM(), info, sealed)
}
