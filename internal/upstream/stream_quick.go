package upstream

import (
	"errors"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/seal"
)

// unchanged is what the script says of an entry whose record it left as it was: nobody else has to read it again, or is woken by it.
const unchanged = 2

// errGone says that the data of a stream was not there when a command changed it: it begins again without.
var errGone = errors.New("the stream's data is gone")

// streamQuick sends the steps of a call: those of a write in one with the record, the one of a read behind the record's header.
func (x *Executor) streamQuick(t *Task, q *quick, k *keyState) {
	t.phase = phaseQuick
	if !q.write {
		args, err := x.stepArgs(k, &t.steps[0])
		if err != nil {
			t.giveUp(msgNoKeys, Away)
			return
		}
		x.askPair(t, k, t.steps[0].Name, args)
		t.quickOp = k.partsOp
		return
	}
	x.writes.reset()
	for i := range t.steps {
		step := &t.steps[i]
		if at := len(x.writes.entries); at == 0 || step.Name == "XREADGROUP" && step.Key == at {
			if !x.streamRecord(t, q, &t.keys[at]) {
				return
			}
		}
		if !x.addStep(t, q, step) {
			return
		}
	}
	if !x.mayJoin(t) {
		return
	}
	t.commits = t.commits[:0]
	x.commit(t, 0, len(x.writes.entries))
}

// streamRecord begins the write of a stream.
func (x *Executor) streamRecord(t *Task, q *quick, k *keyState) bool {
	k.grows, k.resized = 0, q.told == command.Stored && len(t.steps) > 1 || q.told != command.Stored && t.Call.Spec.Action == command.ActionDelete
	return x.quickRecord(t, q, k)
}

func (x *Executor) addStep(t *Task, q *quick, step *command.StreamStep) bool {
	k, from := &t.keys[step.Key], len(x.writes.bytes)
	args, err := x.stepArgs(k, step)
	if err != nil {
		t.failSeal(err)
		return false
	}
	x.writes.alone(step.Name, args...)
	if q.told == command.Stored {
		k.grows += int64(len(x.writes.bytes) - from)
	}
	return true
}

// stepArgs are the arguments of a step, sealed where they have to be.
func (x *Executor) stepArgs(k *keyState, step *command.StreamStep) (args [][]byte, err error) {
	for i := range step.Parts {
		p := &step.Parts[i]
		arg := p.Text
		switch p.Kind {
		case command.StreamKey:
			arg = k.data
		case command.StreamGroupName:
			arg, err = x.sealer.SealStreamName(nil, &k.entry, &k.coll, seal.GroupName, p.Text)
		case command.StreamConsumerName:
			arg, err = x.sealer.SealStreamName(nil, &k.entry, &k.coll, seal.ConsumerName, p.Text)
		case command.StreamFields:
			args = append(args, nil)
			arg, err = x.sealFields(k, &k.coll, p.Pairs)
		}
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	return args, nil
}

// sealFields seals an entry. It fails with errValueLarge where no reply could bring the entry back.
func (x *Executor) sealFields(k *keyState, c *seal.Collection, pairs [][]byte) ([]byte, error) {
	plain := x.plain[:0]
	for i := 0; i < len(pairs); i += 2 {
		plain = x.appendPair(plain, pairs[i], pairs[i+1])
	}
	return x.sealEntry(k, c, plain)
}

// appendPair appends a field and its value to plaintext that is being made in the buffer for it.
func (x *Executor) appendPair(plain, field, value []byte) []byte {
	pair := [2][]byte{field, value}
	if need := len(plain) + seal.FieldsBytes(pair[:]); cap(plain) < need {
		x.keep(plain)
		plain = append(make([]byte, 0, 2*need), plain...)
	}
	plain = seal.AppendFields(plain, pair[:])
	x.keep(plain)
	return plain
}

func (x *Executor) sealEntry(k *keyState, c *seal.Collection, plain []byte) ([]byte, error) {
	if len(plain)+seal.BoxBytes+4*replyBytes > x.b.upstream.options.MaxReplyBytes {
		return nil, errValueLarge
	}
	return x.sealer.SealItem(nil, &k.entry, c, nil, plain)
}

// answerLength answers how many entries there are, which may be none.
func answerLength(_ *Executor, t *Task, _ *keyState, r *reply) error {
	if r.kind != ':' || r.n < 0 {
		return seal.ErrAltered
	}
	t.Call.Out.Int(r.n)
	return nil
}

// answerAdded answers the id of a new entry.
func answerAdded(_ *Executor, t *Task, _ *keyState, r *reply) error {
	added := &r.elems[0]
	if added.kind == '$' && added.null {
		return errGone
	}
	id, ok := command.ParseStreamID(added.text)
	if added.kind != '$' || !ok || id.IsZero() {
		return seal.ErrAltered
	}
	t.Call.Notify(command.NoticeStream, "xadd", 0)
	if len(r.elems) > 1 {
		if r.elems[1].kind != ':' {
			return seal.ErrAltered
		}
		if r.elems[1].n > 0 {
			t.Call.Notify(command.NoticeStream, "xtrim", 0)
		}
	}
	command.AnswerStreamID(t.Call.Out, id)
	return nil
}

// answerRemoved answers how much was taken out, which is an event if it was anything.
func answerRemoved(event string) func(*Executor, *Task, *keyState, *reply) error {
	return answerCount(event, command.Deleted)
}

// answerCount answers a number of changes, which is an event and an outcome if there are any; an empty event is none.
func answerCount(event string, changed command.Outcome) func(*Executor, *Task, *keyState, *reply) error {
	return func(_ *Executor, t *Task, _ *keyState, r *reply) error {
		n := &r.elems[len(r.elems)-1]
		if n.kind != ':' || n.n < 0 {
			return seal.ErrAltered
		}
		t.Call.Told[0] = command.Unchanged
		if n.n > 0 {
			t.Call.Told[0] = changed
			if event != "" {
				t.Call.Notify(command.NoticeStream, event, 0)
			}
		}
		t.Call.Out.Int(n.n)
		return nil
	}
}

// answerChanged answers that something was done.
func answerChanged(event string) func(*Executor, *Task, *keyState, *reply) error {
	return func(_ *Executor, t *Task, _ *keyState, r *reply) error {
		if last := &r.elems[len(r.elems)-1]; last.kind != '+' {
			return seal.ErrAltered
		}
		t.Call.Told[0] = command.Stored
		t.Call.Notify(command.NoticeStream, event, 0)
		t.Call.Out.Status("OK")
		return nil
	}
}

// streamRefused answers an error with which an honest upstream refuses a step; false when it is none of those.
func (t *Task) streamRefused(o *op) bool {
	if t.shape.quick.kind != seal.Stream || o.err != nil || !o.reply.isError() {
		return false
	}
	problem := command.StreamProblem(t.Call, string(o.reply.text))
	if problem == "" {
		return false
	}
	t.Call.Error(problem)
	for i := range t.keys {
		t.Call.Told[i] = command.Hit
		if containsText(&o.reply, string(t.keys[i].data)) {
			break // the handler would not have looked at those behind it
		}
	}
	t.phase = phaseDone
	return true
}
