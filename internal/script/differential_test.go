package script_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/script"
)

// lua runs chunks with the lua5.1 interpreter and returns what each prints: one process for all of them, since each chunk
// only returns a string.
func lua(t *testing.T, chunks []string) []string {
	t.Helper()
	var b strings.Builder
	b.WriteString("local chunks = {\n")
	for _, c := range chunks {
		fmt.Fprintf(&b, "%s,\n", quoteLua(c))
	}
	b.WriteString(`}
local endless
for _, c in ipairs(chunks) do
  local f, err = loadstring(c, '=user_script')
  local ok, r
  endless = false
  debug.sethook(function() endless = true error('endless', 0) end, '', 1000000)
  if f then ok, r = pcall(f) else ok, r = false, err end
  debug.sethook()
  io.write(endless and 'endless' or tostring(r), '\0')
end`)
	cmd := exec.Command("lua5.1", "-")
	cmd.Stdin = strings.NewReader(b.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cannot run lua5.1: %v", err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func quoteLua(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "\\%03d", c)
	}
	b.WriteByte('"')
	return b.String()
}

// compare runs chunks here and with lua5.1, and reports those that differ. A chunk returns a string.
func compare(t *testing.T, chunks []string) {
	t.Helper()
	want := lua(t, chunks)
	if len(want) != len(chunks) {
		t.Fatalf("%d answers to %d chunks", len(want), len(chunks))
	}
	e := script.New(script.DefaultLimits())
	differing := 0
	for i, c := range chunks {
		if want[i] == "endless" {
			continue
		}
		wrapped := "local f, err = loadstring(" + quoteLua(c) + ", '=user_script') local ok, r if f then ok, r = pcall(f) else ok, r = false, err end return tostring(r)"
		reply := runOn(t, e, fixed("+OK\r\n"), wrapped)
		_, got, _ := strings.Cut(reply, "\r\n")
		got = strings.TrimSuffix(got, "\r\n")
		if unnamed(got) != unnamed(want[i]) {
			differing++
			if differing < 20 {
				t.Errorf("%s\ngot  %q\nwant %q", c, got, want[i])
			}
		}
	}
	if differing > 0 {
		t.Errorf("%d of %d differ", differing, len(chunks))
	}
}

// unnamed takes the names of variables out of error texts: of values between operators, gopher-lua has others.
func unnamed(s string) string {
	return regexp.MustCompile(`(local|upvalue|global|field|method) '[^']*' \((a \w+ value)\)`).ReplaceAllString(s, "$2")
}

// TestPatternsAreLuas compares the matcher with Lua's on patterns and subjects made at random.
func TestPatternsAreLuas(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "b", ".", "%a", "%d", "%s", "%w", "%p", "%x", "%A", "%.", "%%", "[ab]", "[^a]", "[a-c]", "[%d_]", "[]]", "[^]]", "[%a-z]",
		"(", ")", "()", "%1", "%2", "%b()", "%f[%w]", "^", "$", "-", "*", "+", "?", "1", " ", "_", "[", "]", "%", "%z", "\\0"}
	subjects := []string{"a", "b", "c", "1", "2", " ", "_", "(", ")", "ab", "aa", "]", ".", "-", "%"}
	pick := func(from []string, most int) string {
		var b strings.Builder
		for range r.IntN(most) {
			b.WriteString(from[r.IntN(len(from))])
		}
		return b.String()
	}
	var chunks []string
	for range 1000 {
		pattern, subject := quoteLua(pick(pieces, 7)), quoteLua(pick(subjects, 10))
		init := r.IntN(8) - 3
		show := "local function show(...) local t = {} for i = 1, select('#', ...) do t[i] = tostring((select(i, ...))) end return table.concat(t, ',') end "
		switch r.IntN(4) {
		case 0:
			chunks = append(chunks, fmt.Sprintf("%sreturn show(string.find(%s, %s, %d))", show, subject, pattern, init))
		case 1:
			chunks = append(chunks, fmt.Sprintf("%sreturn show(string.match(%s, %s, %d))", show, subject, pattern, init))
		case 2:
			chunks = append(chunks, fmt.Sprintf("%sreturn show(string.gsub(%s, %s, '<%%0>'))", show, subject, pattern))
		case 3:
			chunks = append(chunks, fmt.Sprintf("%slocal t = {} for a, b in string.gmatch(%s, %s) do t[#t + 1] = show(a, b) end return table.concat(t, ';')", show, subject, pattern))
		}
	}
	compare(t, chunks)
}

// TestNumbersAreLuas compares how numbers are read and written.
func TestNumbersAreLuas(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var chunks []string
	number := func() string {
		switch r.IntN(5) {
		case 0:
			return fmt.Sprint(r.IntN(1000) - 500)
		case 1:
			return fmt.Sprintf("%d", r.Int64()-r.Int64())
		case 2:
			return fmt.Sprintf("%.*g", 1+r.IntN(18), (r.Float64()-0.5)*1000)
		case 3:
			return fmt.Sprintf("%.*ge%d", 1+r.IntN(17), r.Float64(), r.IntN(640)-320)
		default:
			return fmt.Sprintf("%d.5", r.IntN(100))
		}
	}
	verbs := []string{"d", "5d", "-5d", "05d", "+d", " d", "x", "X", "#x", "o", "#o", "u", "c", "e", "E", ".3e", "f", ".0f", "#.0f", ".10f", "10.3f", "-10.3f|",
		"+f", "010.2f", "g", "G", ".3g", "#g", ".0g", ".14g", ".17g", "20g", "s", "10s", ".2s", "i", ".5d", "8.5d", ".0d", "e", "99.99f"}
	for range 1000 {
		n := number()
		switch r.IntN(4) {
		case 0:
			chunks = append(chunks, fmt.Sprintf("return tostring(%s)", n))
		case 1:
			chunks = append(chunks, fmt.Sprintf("return tostring(tonumber(%q))", n))
		case 2:
			verb := verbs[r.IntN(len(verbs))]
			if strings.ContainsAny(verb, "cxXou") {
				n = fmt.Sprint(r.IntN(255) + 1) // what C does beyond is its own
			}
			chunks = append(chunks, fmt.Sprintf("return string.format('%%%s', %s)", verb, n))
		case 3:
			chunks = append(chunks, fmt.Sprintf("return %s .. ''", n))
		}
	}
	for _, s := range []string{"", " ", "0x", "0x1g", "1e", "1e+", ".", "..", "1.", ".1", "1..2", "0x1p4", "0x.8", "inf", "-inf", "nan", "infinity", "1_0", "0b1", "0o7", "١", "1 2", " 1 ", "\t1\n",
		"+1", "--1", "+-1", "1e308", "1e309", "-1e309", "1e-400", "0x7fffffffffffffff", "0xffffffffffffffffff", "1d", "1f", "0X1F", "5e0", "00012", "-0", "- 1"} {
		chunks = append(chunks, fmt.Sprintf("return tostring(tonumber(%s))", quoteLua(s)))
		for _, base := range []int{2, 8, 16, 36} {
			chunks = append(chunks, fmt.Sprintf("return tostring(tonumber(%s, %d))", quoteLua(s), base))
		}
	}
	compare(t, chunks)
}

// programs is how many programs are tried; LETHE_PROGRAMS raises it.
func programs() int {
	if n, err := strconv.Atoi(os.Getenv("LETHE_PROGRAMS")); err == nil {
		return n
	}
	return 500
}

// generator writes programs at random that say what they do.
type generator struct {
	r     *rand.Rand
	depth int
}

func (g *generator) pick(from ...string) string { return from[g.r.IntN(len(from))] }

func (g *generator) expr() string {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 4 || g.r.IntN(3) == 0 {
		return g.pick("1", "2", "0.5", "'x'", "'10'", "nil", "true", "false", "{}", "{1, 2}", "a", "b", "c", "t", "t.x", "t[1]", "#t", "f(a)", "...", "g()")
	}
	switch g.r.IntN(9) {
	case 0:
		return "(" + g.expr() + " " + g.pick("+", "-", "*", "/", "%", "^") + " " + g.expr() + ")"
	case 1:
		return "(" + g.expr() + " .. " + g.expr() + ")"
	case 2:
		return "(" + g.expr() + " " + g.pick("==", "~=", "<", ">", "<=", ">=") + " " + g.expr() + ")"
	case 3:
		return "(" + g.expr() + " " + g.pick("and", "or") + " " + g.expr() + ")"
	case 4:
		return "(" + g.pick("not ", "-", "#") + g.expr() + ")"
	case 5:
		return "{" + g.expr() + ", x = " + g.expr() + ", " + g.expr() + "}"
	case 6:
		return "f(" + g.expr() + ", " + g.expr() + ")"
	case 7:
		return "(function(...) local a, b = ... " + g.stmt() + " return a, b end)(" + g.expr() + ")"
	default:
		return "show(" + g.expr() + ")"
	}
}

func (g *generator) stmt() string {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 4 {
		return "say(" + g.expr() + ") "
	}
	switch g.r.IntN(17) {
	case 0:
		return "local " + g.pick("a", "b", "c") + " = " + g.expr() + " "
	case 1:
		return g.pick("a", "b", "c", "t.x", "t.y", "t[#t + 1]") + " = " + g.expr() + " "
	case 2:
		return "a, b = " + g.pick("b, a", g.expr()+", "+g.expr(), "f(a)", g.expr()) + " "
	case 3:
		return g.pick("a, t.x", "t.y, t.z", "t.x, b, c") + " = " + g.expr() + ", " + g.expr() + " "
	case 4:
		return "if " + g.expr() + " then " + g.stmt() + "else " + g.stmt() + "end "
	case 5:
		return "for i = 1, " + g.pick("3", "'2'", "0", g.expr()) + " do " + g.stmt() + g.pick("", "if i == 2 then break end ") + "end "
	case 6:
		return "for k, v in " + g.pick("ipairs(t)", "ipairs({3, 4})", "pairs({5})") + " do " + g.stmt() + "say(k, v) end "
	case 7:
		return "do " + g.stmt() + g.stmt() + "end "
	case 8:
		return "say(pcall(function() " + g.stmt() + "return " + g.expr() + " end)) "
	case 9:
		return "local function g2() a = " + g.expr() + " return a end say(g2()) "
	case 10:
		return "function t.m(x) " + g.stmt() + "return x end say(t.m(" + g.expr() + ")) "
	case 11:
		return "local n = 0 while n < 2 do n = n + 1 " + g.stmt() + "end "
	case 13:
		return "local fs = {} for i = 1, 3 do local n = " + g.expr() + " fs[i] = function() n = n or i " + g.stmt() + "return n, i end end for i = 1, 3 do say(fs[i]()) end "
	case 14:
		return "local w = coroutine.wrap(function(x) " + g.stmt() + "local y = coroutine.yield(x, " + g.expr() + ") say(y) " + g.stmt() + "return 'end' end) say(w(1)) say(w(" + g.expr() + ")) "
	case 15:
		return "for k, v in pairs({}) do " + g.pick("break ", "local x = false or k say(x) ", g.stmt()) + "end while " + g.pick("false", "nil", "not a", "a and false") + " do " + g.stmt() + g.pick("", "a = 1 ") + "break end "
	case 12:
		return "local n = 0 repeat n = n + 1 local m = n " + g.stmt() + "until m > 1 "
	default:
		return "say(" + g.expr() + ", " + g.expr() + ") "
	}
}

// TestProgramsDoWhatLuaDoes compares programs made at random, with what they print and the errors that they end with.
func TestProgramsDoWhatLuaDoes(t *testing.T) {
	t.Parallel()
	const prelude = `local out = {}
local function show(v) if type(v) == 'table' then return 'table' elseif type(v) == 'function' then return 'function' elseif v ~= v then return 'nan' else return tostring(v) end end
local function say(...) for i = 1, select('#', ...) do out[#out + 1] = show((select(i, ...))) end end
local a, b, c, t = 1, 'two', nil, {10, 20, x = 'field'}
local function f(x, y) say(x) return x, y, 3 end
local function g() return 7 end
local function body(...)
`
	g := &generator{r: rand.New(rand.NewPCG(5, 6))}
	var chunks []string
	for range programs() {
		chunks = append(chunks, prelude+g.stmt()+g.stmt()+g.stmt()+"\nend\nlocal ok, e = pcall(body, 1, 'dots') say(e) return table.concat(out, ' ')")
	}
	compare(t, chunks)
}
