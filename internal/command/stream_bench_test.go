package command

import (
	"fmt"
	"testing"
)

// BenchmarkStreamCommands times handlers on a stream of a million entries of three small fields, locks and replies
// included; compare with usec_per_call of redis-server's INFO commandstats.
func BenchmarkStreamCommands(b *testing.B) {
	t := &testing.T{}
	l := newCollectionLab(t, streamCommands())
	prepared := func(name, line string, args func(i int, c *Call)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			l.run(line)
			c := &l.call
			for i := 0; b.Loop(); i++ {
				if args != nil {
					args(i, c)
				}
				c.Tx.Lock(c.Keys)
				c.Spec.Run(c)
				c.Tx.Unlock()
				if c.Failed {
					b.Fatal("a call failed")
				}
				c.Out.Reset()
			}
		})
	}
	prepared("xadd", "XADD s * device dev-17 temp 21.5 pulse 77", func(int, *Call) { l.call.WallNow += 7 })
	prepared("xadd maxlen 1000", "XADD short MAXLEN 1000 * device dev-17 temp 21.5 pulse 77", func(int, *Call) { l.call.WallNow += 7 })
	for i := range 1_000_000 {
		l.call.WallNow += int64(1 + i*7919%20) // the deadline stays away
		l.run(fmt.Sprintf("XADD s * device dev-%d temp %.1f pulse %d", i%1000, 20+float64(i%100)/10, 60+i%60))
	}
	now := l.call.WallNow
	prepared("xrange of 10", "XRANGE s - + COUNT 10", func(i int, c *Call) {
		c.Args[2] = fmt.Append(c.Args[2][:0], now-9_000_000+int64(i)*7919%8_000_000)
	})
	prepared("xrevrange of 1", "XREVRANGE s + - COUNT 1", nil)
	l.run("XGROUP CREATE s g 0")
	prepared("xreadgroup of 10", "XREADGROUP GROUP g c COUNT 10 STREAMS s >", nil)
}
