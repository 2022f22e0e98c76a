package hashing

import "strings"

var functionWords = func() map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.Fields(`a an the and or but if of to in on at by for from with as is are was were be
		been do does did has have had it its this that these those i me my you your he she we they them
		there what which who whom when where why how can could will would shall should may not no s t`) {
		words[w] = true
	}
	return words
}()

// IsFunctionWord tells whether a lower-case English word carries grammar rather
// than content, such as "the" or "what"; Embed gives such words a quarter of the
// weight.
func IsFunctionWord(word string) bool { return functionWords[word] }
