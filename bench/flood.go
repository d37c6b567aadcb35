package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// The flood of the part flood: wrong tokens of the very user that the good clients are, from as many addresses of the
// loopback network as one botnet may have. A connection is closed by Lethe after wrongTokens of them, so each new batch
// costs a connection too, and a handshake where Lethe still gives one.
const (
	floodRate      = 10_000 // wrong tokens a second
	floodAddresses = 1000
	wrongTokens    = 10
	floodAtOnce    = 256 // connections that may be under way
	goodRate       = 5000
)

// measureFlood compares what good clients get done at a fixed rate in quiet with what they get done in a flood of bad ones.
// The rate is fixed because the flood's sender takes the same processors as both.
func (b *bench) measureFlood(ctx context.Context) ([]*table, error) {
	s, err := b.startLethe(ctx, letheOptions{})
	if err != nil {
		return nil, err
	}
	defer s.stop()
	t := b.newTable("flood", fmt.Sprintf("GET at %d a second, %d connections, while %d wrong tokens a second come from %d addresses",
		goodRate, b.connections, floodRate, floodAddresses))
	t.Baseline, t.Subject = "quiet", "flood"
	var sent tally
	var flooded time.Duration
	err = b.interleave(ctx, func(side int) error {
		if err := s.freshen(b.get().writes()); err != nil {
			return err
		}
		during, stop := context.WithCancel(ctx)
		defer stop()
		var flood sync.WaitGroup
		if side == subject {
			flood.Go(func() { s.flood(during, &sent) })
		}
		began := time.Now()
		perSecond, p99, err := b.goodClients(ctx, s)
		if side == subject {
			flooded += time.Since(began)
		}
		stop()
		flood.Wait()
		t.add("answered", "op/s", side, perSecond)
		t.add("p99", "ms", side, p99)
		return err
	})
	if err != nil {
		return nil, err
	}
	t.ratioAtLeast("answered", 0.9)
	t.Notes = []string{fmt.Sprintf("%.0f wrong tokens a second were tried; %.0f of them got an answer, the others' connections no handshake",
		float64(sent.tried.Load())/flooded.Seconds(), float64(sent.answered.Load())/flooded.Seconds())}
	return []*table{t}, nil
}

// goodClients sends a fixed load and returns how much of it was answered a second, from the first planned request to the
// last reply, and the 99th percentile of the latencies in milliseconds.
func (b *bench) goodClients(ctx context.Context, s *target) (perSecond, p99 float64, err error) {
	length := b.warmUp + b.duration
	l := openLoad{work: b.get(), connections: b.connections, rate: goodRate, windows: []window{{b.warmUp, length}}}
	start := time.Now().Add(time.Second) // the connections are there by then, flood or not
	r, err := s.measureOpen(ctx, l, start)
	if err != nil {
		return 0, 0, err
	}
	return goodRate * length.Seconds() / max(time.Since(start), length).Seconds(), r.latencies[0].quantile(0.99).Seconds() * 1000, nil
}

// tally counts wrong tokens.
type tally struct{ tried, answered atomic.Int64 }

// flood sends wrong tokens until ctx ends.
func (t *target) flood(ctx context.Context, sent *tally) {
	wrong := []byte(t.token)
	wrong[len(wrong)-1] ^= 1
	request := appendCommand(nil, "AUTH", t.user, string(wrong))
	var batch []byte
	for range wrongTokens {
		batch = append(batch, request...)
	}
	turns := make(chan struct{}, floodAtOnce)
	var all sync.WaitGroup
	defer all.Wait()
	start := time.Now()
	for i := 0; ctx.Err() == nil; i++ {
		sleepUntil(start.Add(time.Duration(i) * time.Second * wrongTokens / floodRate))
		turns <- struct{}{}
		all.Go(func() {
			sent.answered.Add(t.fail(i%floodAddresses, batch))
			sent.tried.Add(wrongTokens)
			<-turns
		})
	}
}

// fail opens a connection from one of the flood's addresses, sends a batch and returns how many answers came.
func (t *target) fail(from int, batch []byte) (answers int64) {
	ip := net.IPv4(127, 1, 0, 0).To4()
	binary.BigEndian.PutUint16(ip[2:], uint16(from+1))
	dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: startTimeout, LocalAddr: &net.TCPAddr{IP: ip}}, Config: t.tls}
	conn, err := dialer.Dial("tcp", t.addr)
	if err != nil {
		return 0
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(startTimeout)); err != nil {
		return 0
	}
	if _, err := conn.Write(batch); err != nil {
		return 0
	}
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		answers++
	}
	return answers
}
