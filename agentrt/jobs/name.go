package jobs

import "strings"

// River's names of queues have lower-case letters and digits, with single signs
// between them. A topic's queue is "t" and the topic with its other characters
// written as two.
var signs = map[byte]string{'_': "_u", '-': "_m", '.': "_d", '/': "_s"}

func queueName(topic string) (string, bool) {
	var b strings.Builder
	b.WriteByte('t')
	for k := range len(topic) {
		switch c := topic[k]; {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteByte(c)
		case c >= 'A' && c <= 'Z':
			b.WriteString("-" + string(c+'a'-'A'))
		case signs[c] != "" && k > 0:
			b.WriteString(signs[c])
		default:
			return "", false
		}
	}
	return b.String(), topic != "" && b.Len() <= MaxTopic+1
}

// topicOf is the topic of a queue.
func topicOf(queue string) string {
	var b strings.Builder
	for k := 1; k < len(queue); k++ {
		c := queue[k]
		if (c == '-' || c == '_') && k+1 < len(queue) {
			k++
			if c == '-' {
				b.WriteByte(queue[k] - 'a' + 'A')
				continue
			}
			for sign, text := range signs {
				if text[1] == queue[k] {
					b.WriteByte(sign)
				}
			}
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
