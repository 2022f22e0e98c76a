package modelserver

import (
	"math"
	"strconv"
	"strings"
)

var (
	asksPattern    = lazily(`(?i)\b(?:what(?:'s| is| are)|how much is|calculate|compute|evaluate|solve)\b|=\s*\??\s*$`)
	barePattern    = lazily(`^[\s\d.,+\-*/×÷^%()−·]+[=?]*\s*$`)
	spokenOps      = strings.NewReplacer(" plus ", " + ", " minus ", " - ", " times ", " * ", " multiplied by ", " * ", " divided by ", " / ", " over ", " / ", "×", "*", "·", "*", "÷", "/", "−", "-", " to the power of ", " ^ ", " modulo ", " % ", " mod ", " % ")
	formulaPattern = lazily(`[(\-]*\s*\d[\d.,\s+\-*/^%()]*`)
	datePattern    = lazily(`\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}/\d{1,2}/\d{4}\b`)
)

// arithmetic answers a question for the value of a formula as "12 * 7 = 84".
func arithmetic(question string) (string, bool) {
	if len(question) > 1000 || !asksPattern().MatchString(question) && !barePattern().MatchString(question) || datePattern().MatchString(question) {
		return "", false
	}
	for _, candidate := range formulaPattern().FindAllString(spokenOps.Replace(question), -1) {
		candidate = strings.Trim(candidate, " \t\r\n.,")
		p := formula{text: candidate}
		value, ok := p.sum(0)
		if p.skip(); !ok || p.at < len(candidate) || p.operators == 0 {
			continue
		}
		if math.IsInf(value, 0) || math.IsNaN(value) {
			return candidate + " has no finite value.", true
		}
		return candidate + " = " + formatNumber(value), true
	}
	return "", false
}

// formatNumber writes integers in full and other numbers with up to 12 digits.
func formatNumber(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', 12, 64)
}

// formula evaluates +, -, *, /, %, ^ and parentheses by recursive descent.
type formula struct {
	text      string
	at        int
	operators int
}

const maxNesting = 100

func (p *formula) skip() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// take consumes the next character if it is one of set.
func (p *formula) take(set string) byte {
	p.skip()
	if p.at < len(p.text) && strings.IndexByte(set, p.text[p.at]) >= 0 {
		p.at++
		return p.text[p.at-1]
	}
	return 0
}

func (p *formula) sum(depth int) (float64, bool) {
	left, ok := p.product(depth)
	for ok {
		op := p.take("+-")
		if op == 0 {
			break
		}
		p.operators++
		var right float64
		if right, ok = p.product(depth); op == '-' {
			right = -right
		}
		left += right
	}
	return left, ok
}

func (p *formula) product(depth int) (float64, bool) {
	left, ok := p.signed(depth)
	for ok {
		op := p.take("*/%")
		if op == 0 {
			break
		}
		p.operators++
		var right float64
		right, ok = p.signed(depth)
		switch op {
		case '*':
			left *= right
		case '/':
			left /= right
		default:
			left = math.Mod(left, right)
		}
	}
	return left, ok
}

func (p *formula) signed(depth int) (float64, bool) {
	if depth > maxNesting {
		return 0, false
	}
	if p.take("-") != 0 {
		v, ok := p.signed(depth + 1)
		return -v, ok
	}
	base, ok := p.atom(depth)
	if ok && p.take("^") != 0 {
		p.operators++
		exponent, ok := p.signed(depth + 1)
		return math.Pow(base, exponent), ok
	}
	return base, ok
}

func (p *formula) atom(depth int) (float64, bool) {
	if p.take("(") != 0 {
		v, ok := p.sum(depth + 1)
		return v, ok && p.take(")") != 0
	}
	p.skip()
	from := p.at
	for p.at < len(p.text) && strings.IndexByte("0123456789.,", p.text[p.at]) >= 0 {
		p.at++
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(p.text[from:p.at], ",", ""), 64)
	return v, err == nil
}
