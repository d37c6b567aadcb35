package command

import (
	"bytes"
	"sync"
)

// clusterSlots is how many slots a cluster has; docs: Redis cluster specification, key distribution model.
const clusterSlots = 16384

// xmodem is the table of CRC-16/XMODEM: the polynomial 0x1021.
var xmodem = sync.OnceValue(func() *[256]uint16 {
	var table [256]uint16
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			carry := crc & 0x8000
			if crc <<= 1; carry != 0 {
				crc ^= 0x1021
			}
		}
		table[i] = crc
	}
	return &table
})

// slotOf is the slot of a key. Where the key has a part in braces that is not empty, only that part counts.
func slotOf(key []byte) int {
	if open := bytes.IndexByte(key, '{'); open >= 0 {
		if end := bytes.IndexByte(key[open+1:], '}'); end > 0 {
			key = key[open+1 : open+1+end]
		}
	}
	table, crc := xmodem(), uint16(0)
	for _, b := range key {
		crc = crc<<8 ^ table[byte(crc>>8)^b]
	}
	return int(crc % clusterSlots)
}
