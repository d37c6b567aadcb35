package seal

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// Messages between gateways travel through the upstream, which is not trusted: each is authenticated with a key that comes
// from the cluster's secret, carries its sender, a number that only grows and the time, and is taken once and not late.

type messageKind byte

const (
	msgHello messageKind = iota + 1 // who I am, and the public key to seal to: every second
	msgKeys                         // data keys, sealed to one gateway's public key
	msgWant                         // numbers of data keys that are missing here
	msgNote                         // something of another part of the gateway, sealed with the epoch's secret
	kindEnd
)

const (
	messageMagic  = "LETHEK1"
	messageHead   = len(messageMagic) + 1 + 8 + 8 + 8
	messageMAC    = sha256.Size
	maxMessage    = 1 << 20
	maxLate       = 10_000 // milliseconds between two gateways' clocks, transport included
	maxKeysInOne  = 256
	keyEntryBytes = 8 + 8 + 8 + secretBytes
)

var errMessage = errors.New("the message is not from a gateway of this cluster, or is old")

// message is one message, taken apart. The body is a slice of what was received.
type message struct {
	kind   messageKind
	sender uint64
	number uint64
	sentAt int64
	body   []byte
}

// encode appends the message with its MAC.
func (m *message) encode(h *hasher, mac macKey) []byte {
	b := make([]byte, 0, messageHead+len(m.body)+messageMAC)
	b = append(b, messageMagic...)
	b = append(b, byte(m.kind))
	b = binary.LittleEndian.AppendUint64(b, m.sender)
	b = binary.LittleEndian.AppendUint64(b, m.number)
	b = binary.LittleEndian.AppendUint64(b, uint64(m.sentAt))
	b = append(b, m.body...)
	h.begin(mac)
	h.write(b)
	return append(b, h.end(mac)...)
}

// decodeMessage checks and takes apart what came.
func decodeMessage(b []byte, h *hasher, mac macKey) (message, error) {
	if len(b) < messageHead+messageMAC || len(b) > maxMessage || string(b[:len(messageMagic)]) != messageMagic {
		return message{}, errMessage
	}
	signed := b[:len(b)-messageMAC]
	h.begin(mac)
	h.write(signed)
	if subtle.ConstantTimeCompare(h.end(mac), b[len(signed):]) != 1 {
		return message{}, errMessage
	}
	at := len(messageMagic)
	m := message{
		kind:   messageKind(b[at]),
		sender: binary.LittleEndian.Uint64(b[at+1:]),
		number: binary.LittleEndian.Uint64(b[at+9:]),
		sentAt: int64(binary.LittleEndian.Uint64(b[at+17:])),
		body:   signed[messageHead:],
	}
	if m.kind == 0 || m.kind >= kindEnd {
		return message{}, errMessage
	}
	return m, nil
}

// hello is the body of msgHello: the epoch that the sender has, 0 for none, whether it has no keys yet, and the public key
// with its number.
type hello struct {
	epoch     uint64
	startedAt int64
	wantsAll  bool
	keyNumber uint64
	publicKey []byte
}

const publicKeyBytes = 65 // an uncompressed point of P-256

func (x *hello) encode() []byte {
	b := binary.LittleEndian.AppendUint64(nil, x.epoch)
	b = binary.LittleEndian.AppendUint64(b, uint64(x.startedAt))
	all := byte(0)
	if x.wantsAll {
		all = 1
	}
	b = append(b, all)
	b = binary.LittleEndian.AppendUint64(b, x.keyNumber)
	return append(b, x.publicKey...)
}

func decodeHello(b []byte) (hello, error) {
	if len(b) != 25+publicKeyBytes {
		return hello{}, errMessage
	}
	return hello{
		epoch: binary.LittleEndian.Uint64(b), startedAt: int64(binary.LittleEndian.Uint64(b[8:])), wantsAll: b[16] == 1,
		keyNumber: binary.LittleEndian.Uint64(b[17:]), publicKey: b[25:],
	}, nil
}
