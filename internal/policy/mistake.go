package policy

import (
	"cmp"
	"fmt"
	"slices"
)

// Mistake is something wrong in a policy file, and what to do about it.
type Mistake struct {
	Line   int `json:"line"`   // from 1
	Column int `json:"column"` // from 1, in characters
	// Problem says what is wrong, Mend what to write instead. Neither has a full stop or a line break.
	Problem string `json:"problem"`
	Mend    string `json:"mend"`
}

// String is for messages: line, column and problem, the mend left out.
func (m Mistake) String() string { return fmt.Sprintf("%d:%d: %s", m.Line, m.Column, m.Problem) }

func sortMistakes(list []Mistake) {
	slices.SortStableFunc(list, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// nearest returns the candidate that word was probably meant to be, or "".
func nearest(word string, candidates []string) string {
	best, distance := "", max(2, len(word)/3)+1
	for _, c := range candidates {
		if d := edits(word, c); d < distance {
			best, distance = c, d
		}
	}
	return best
}

// edits counts the letters to insert, remove or change to turn a into b (Levenshtein), one row of the table at a time.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
