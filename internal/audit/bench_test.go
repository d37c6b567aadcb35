package audit_test

import (
	"fmt"
	"testing"

	"github.com/lethe-cache/lethe/internal/audit"
)

func benchmarkOptions() audit.Options {
	o := testOptions()
	o.SegmentBytes = 0
	o.CheckpointEvery = 0
	return o
}

func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := openLog(b, auditDir(b), benchmarkOptions())
			records, batch := benchmarkRecords(n), new(audit.Batch)
			b.ReportAllocs()
			for b.Loop() {
				for i := range records {
					batch.Add(&records[i])
				}
				if err := l.Commit(batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
		})
	}
}

func BenchmarkCommitParallel(b *testing.B) {
	l := openLog(b, auditDir(b), benchmarkOptions())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		records, batch := benchmarkRecords(16), new(audit.Batch)
		for pb.Next() {
			for i := range records {
				batch.Add(&records[i])
			}
			if err := l.Commit(batch); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	records, batch := benchmarkRecords(16), new(audit.Batch)
	b.ReportAllocs()
	for b.Loop() {
		for i := range records {
			batch.Add(&records[i])
		}
		batch.Reset()
	}
}

func benchmarkRecords(n int) []audit.Record {
	actor := testActor()
	records := make([]audit.Record, n)
	for i := range records {
		records[i] = testRecord(actor, 100_000+i)
	}
	return records
}
