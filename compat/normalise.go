package compat

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

type patterns struct{ uuid, time, unix, id *regexp.Regexp }

// compiled costs a millisecond, which only the suite pays.
var compiled = sync.OnceValue(func() patterns {
	return patterns{
		uuid: regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`),
		time: regexp.MustCompile(`\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} 20\d\d \d\d:\d\d:\d\d GMT`),
		unix: regexp.MustCompile(`\b1\d{9}(?:\d{3})?(?:\.\d+)?\b`),
		id:   regexp.MustCompile(`\b[A-Za-z0-9]{16,40}\b(?:":)?`),
	}
})

// normaliser makes equal what differs from run to run: addresses, times of the last
// and next day, UUIDs and random identifiers.
type normaliser struct{ addresses *strings.Replacer }

func (n normaliser) text(text string) string {
	p := compiled()
	text = n.addresses.Replace(text)
	text = p.uuid.ReplaceAllString(text, "UUID")
	text = p.time.ReplaceAllString(text, "TIME")
	text = p.unix.ReplaceAllStringFunc(text, func(number string) string {
		if isRecent(number) {
			return "1000000000"
		}
		return number
	})
	return p.id.ReplaceAllStringFunc(text, func(word string) string {
		if isRandom(word) {
			return "ID"
		}
		return word
	})
}

// isRecent tells whether a number is a Unix time, in seconds or milliseconds, within a
// day of now.
func isRecent(number string) bool {
	v, err := strconv.ParseFloat(number, 64)
	if v > 1e12 {
		v /= 1000
	}
	return err == nil && math.Abs(v-float64(time.Now().Unix())) < 86400
}

// isRandom tells whether a word looks like an identifier from a generator: the AI
// SDK's have 16 characters of both cases, others are longer and have digits too. Names
// of JSON members are no identifiers.
func isRandom(word string) bool {
	if strings.HasSuffix(word, ":") {
		return false
	}
	upper := strings.ContainsAny(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	lower := strings.ContainsAny(word, "abcdefghijklmnopqrstuvwxyz")
	digit := strings.ContainsAny(word, "0123456789")
	return upper && lower && (digit || len(word) == 16)
}
