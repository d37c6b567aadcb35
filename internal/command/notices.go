package command

// NoticeClass is a set of the classes of keyspace notifications, as CONFIG SET notify-keyspace-events chooses them.
type NoticeClass uint16

// The classes, by Redis's letters.
const (
	NoticeGeneric  NoticeClass = 1 << iota // g
	NoticeString                           // $
	NoticeList                             // l
	NoticeSet                              // s
	NoticeHash                             // h
	NoticeZSet                             // z
	NoticeExpired                          // x
	NoticeEvicted                          // e
	NoticeStream                           // t
	NoticeModule                           // d: taken and never used
	NoticeKeyMiss                          // m
	NoticeNew                              // n
	NoticeKeyspace                         // K: on channels named after keys
	NoticeKeyevent                         // E: on channels named after events

	// NoticeAll is what the letter A stands for.
	NoticeAll = NoticeGeneric | NoticeString | NoticeList | NoticeSet | NoticeHash | NoticeZSet | NoticeExpired | NoticeEvicted | NoticeStream | NoticeModule
)

const noticeLetters = "g$lshzxetdmnKE"

// ParseNotices reads the letters of notify-keyspace-events.
func ParseNotices(letters []byte) (set NoticeClass, ok bool) {
	for _, b := range letters {
		if b == 'A' {
			set |= NoticeAll
			continue
		}
		at := -1
		for i := range len(noticeLetters) {
			if noticeLetters[i] == b {
				at = i
			}
		}
		if at < 0 {
			return 0, false
		}
		set |= 1 << at
	}
	return set, true
}

// String is the set in Redis's own order of letters.
func (n NoticeClass) String() string {
	var b []byte
	if n&NoticeAll == NoticeAll {
		b = append(b, 'A')
	} else {
		b = n.letters(b, "g$lshzxetd")
	}
	return string(n.letters(b, "KEmn"))
}

func (n NoticeClass) letters(b []byte, which string) []byte {
	for i := range len(which) {
		if set, _ := ParseNotices([]byte{which[i]}); n&set != 0 {
			b = append(b, which[i])
		}
	}
	return b
}

// Note is a change that somebody may want to be told of.
type Note struct {
	Class NoticeClass
	Event string
	Key   int // among the call's keys
}

// Notify notes a change of a key, under the name that Redis has for it.
func (c *Call) Notify(class NoticeClass, event string, key int) {
	if c.Notices&class != 0 {
		c.Notes = append(c.Notes, Note{class, event, key})
	}
}
