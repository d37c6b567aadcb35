package kubernetes

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// container is one container as both kinds of files describe it.
type container struct {
	image   image
	command []string // in place of the image's entrypoint; nil if it is kept
	args    []string
	env     map[string]variable
	at      model.Source
	// file returns a file inside the container, and how reports call it; ok is false where it comes from elsewhere.
	file func(path string) (src []byte, name string, ok bool)
}

// variable is an environment variable: a text, or where it comes from.
type variable struct {
	text   string
	origin string // "" for a text that stands here
	why    string // why it is not known and may be empty
	at     model.Source
}

// isCache says whether the container runs a server that we know.
func (c *container) isCache() bool {
	if c.image.engine() != "" {
		return true
	}
	_, found := serverArguments(append(append([]string{}, c.command...), c.args...))
	return found
}

// serverArguments finds the program and returns what follows it, through one level of `sh -c`.
func serverArguments(words []string) (args []string, found bool) {
	for i, w := range words {
		if isServer(w) {
			return untilShellEnds(words[i+1:]), true
		}
		if strings.Contains(w, " ") {
			if inner, ok := serverArguments(shellWords(w)); ok {
				return inner, true
			}
		}
	}
	return nil, false
}

// shellWords cuts a line as a shell does, quotes taken off and variables kept.
func shellWords(line string) []string {
	var words []string
	var b strings.Builder
	quote, inside := byte(0), false
	for i := range len(line) {
		c := line[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, inside = c, true
		case quote == 0 && strings.IndexByte(" \t\n", c) >= 0:
			if inside {
				words = append(words, b.String())
			}
			b.Reset()
			inside = false
		default:
			b.WriteByte(c)
			inside = true
		}
	}
	if inside {
		words = append(words, b.String())
	}
	return words
}

func untilShellEnds(words []string) []string {
	for i, w := range words {
		if w == "&&" || w == "||" || w == ";" || w == "|" || w == "&" {
			return words[:i]
		}
	}
	return words
}

// settings collects what the container sets, in the order in which the server takes it.
func (c *container) settings() (*config.Settings, *config.UserFile, []config.Problem) {
	s := config.NewSettings()
	s.Container = true
	args, started := c.arguments()
	if !started {
		s.Forget("the container starts by a program of its own", c.at)
	}
	var problems []config.Problem
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		s, problems = c.fromFile(args[0])
		args = args[1:]
	}
	c.imageDefaults(s)
	c.flags(s, args)
	users, more := c.users(s)
	return s, users, append(problems, more...)
}

// arguments are the server's; started is false if it cannot be seen how the server is started.
func (c *container) arguments() (args []string, started bool) {
	words := append(append([]string{}, c.command...), c.args...)
	if args, found := serverArguments(words); found {
		return args, true
	}
	if len(c.command) > 0 {
		return nil, false
	}
	// The images' entrypoint puts the program before arguments that begin with a dash or name a .conf.
	if len(c.args) == 0 || strings.HasPrefix(c.args[0], "-") || strings.HasSuffix(c.args[0], ".conf") {
		return c.args, true
	}
	return nil, false
}

func (c *container) fromFile(path string) (*config.Settings, []config.Problem) {
	src, name, ok := c.file(path)
	if !ok {
		s := config.NewSettings()
		s.Forget("its configuration file is not among what is scanned", c.at)
		s.Container = true
		return s, nil
	}
	s, problems := config.Parse(name, src, nil)
	s.Container = true
	return s, problems
}

// flags takes --name value value --name ...
func (c *container) flags(s *config.Settings, args []string) {
	for i := 0; i < len(args); {
		name := strings.TrimLeft(args[i], "-")
		i++
		var words []string
		if n, v, found := strings.Cut(name, "="); found && c.image.engine() == "dragonfly" {
			name, words = n, []string{v}
		}
		for i < len(args) && !strings.HasPrefix(args[i], "--") {
			words = append(words, args[i])
			i++
		}
		if len(words) == 0 && c.image.engine() == "dragonfly" {
			words = []string{"yes"}
		}
		at := c.at
		at.Setting = "--" + name
		c.set(s, name, words, at)
	}
}

// set adds a directive after its variables are filled in.
func (c *container) set(s *config.Settings, name string, words []string, at model.Source) {
	filled := make([]string, len(words))
	for i, w := range words {
		v := c.expand(w)
		switch {
		case v.origin != "" && isPassword(name):
			s.Secret(name, v.origin, at)
			return
		case v.origin != "" || v.why != "":
			why := v.why
			if why == "" {
				why = "it comes from a secret"
			}
			s.Unknown(name, why, at)
			return
		}
		filled[i] = v.text
	}
	s.Add(name, filled, at)
}

func isPassword(name string) bool {
	return name == "requirepass" || name == "masterauth" || name == "primaryauth"
}

// expand fills in one variable that is the whole word, or several inside of it.
func (c *container) expand(word string) variable {
	for range 10 {
		start, end, name := findVariable(word)
		if name == "" {
			return variable{text: word}
		}
		v, ok := c.env[name]
		switch {
		case !ok:
			return variable{why: "the variable " + name + " is not set in the file"}
		case v.origin != "" || v.why != "":
			return v
		}
		word = word[:start] + v.text + word[end:]
	}
	return variable{why: "its variables do not end"}
}

// findVariable finds $(NAME), ${NAME} or $NAME.
func findVariable(s string) (start, end int, name string) {
	i := strings.IndexByte(s, '$')
	if i < 0 || i+1 >= len(s) {
		return 0, 0, ""
	}
	if open := s[i+1]; open == '(' || open == '{' {
		closing := strings.IndexAny(s[i:], ")}")
		if closing < 0 {
			return 0, 0, ""
		}
		return i, i + closing + 1, s[i+2 : i+closing]
	}
	end = i + 1
	for end < len(s) && (s[end] == '_' || s[end] >= '0' && s[end] <= '9' || s[end]|0x20 >= 'a' && s[end]|0x20 <= 'z') {
		end++
	}
	return i, end, s[i+1 : end]
}

// users reads the ACL file that the settings name.
func (c *container) users(s *config.Settings) (*config.UserFile, []config.Problem) {
	path, ok := s.ACLFile()
	if !ok {
		return nil, nil
	}
	src, name, found := c.file(path)
	if !found {
		return nil, nil
	}
	return config.ParseUsers(name, src)
}

// facts fills a resource.
func (c *container) facts(r *model.Resource) []config.Problem {
	engine := c.image.engine()
	if engine == "" {
		model.Engine.SetUnknown(r, "the image is not one that is known", c.at)
	} else {
		model.Engine.Set(r, engine, c.at)
	}
	c.image.version(r, c.at)
	model.DistroBuild.Set(r, false, c.at)
	s, users, problems := c.settings()
	config.Facts(r, s, users)
	return problems
}
