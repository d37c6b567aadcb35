package upstream

import (
	"crypto/sha1" //nolint:gosec // Redis names scripts by SHA-1; nothing depends on its strength
	"encoding/hex"
)

// script is Lua that the upstream runs as one step. It sees names and sealed bytes.
type script struct{ text, digest string }

func newScript(text string) *script {
	sum := sha1.Sum([]byte(text))
	return &script{text, hex.EncodeToString(sum[:])}
}

// eval begins a call of a script with so many keys and arguments, which the caller appends.
func (l *lane) eval(s *script, slot int, reads bool, keys, args int) int {
	i := l.begin(slot, reads, 3+keys+args)
	l.ops[i].script = s
	l.out = appendArgString(l.out, "EVALSHA")
	l.out = appendArgString(l.out, s.digest)
	l.out = appendArgInt(l.out, int64(keys))
	return i
}

// spellOut replaces EVALSHA in a request by EVAL with the script's text: the node does not know the script yet.
func (l *lane) spellOut(o *op) {
	request := l.out[o.from:o.to]
	line := 0
	for line < len(request) && request[line] != '\n' {
		line++
	}
	skip := line + 1 + len("$7\r\nEVALSHA\r\n$40\r\n") + len(o.script.digest) + 2
	rest := request[skip:]
	from := len(l.out)
	l.out = append(l.out, request[:line+1]...)
	l.out = appendArgString(l.out, "EVAL")
	l.out = appendArgString(l.out, o.script.text)
	l.out = append(l.out, rest...)
	o.from, o.to, o.script = from, len(l.out), nil
}
