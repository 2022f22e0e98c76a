package modelserver

import (
	"strings"
	"testing"

	"github.com/sashabaranov/go-openai"
)

const handbook = `You are a helpful assistant. Answer from the documents only.
[refunds] Broken goods are refunded within 30 days. Shipping costs are not refunded.
[hours] The shop opens at nine. It closes at six on Sundays.
Document 7: Gift cards never expire.`

func TestRule(t *testing.T) {
	f := start(t, Config{})
	cases := []struct {
		name     string
		messages []openai.ChatCompletionMessage
		want     string
	}{
		{"product", []openai.ChatCompletionMessage{user("what is 12*7?")}, "12*7 = 84"},
		{"precedence", []openai.ChatCompletionMessage{user("Calculate 2 + 3 * (4 - 1)^2, please")}, "2 + 3 * (4 - 1)^2 = 29"},
		{"spoken", []openai.ChatCompletionMessage{user("How much is 10 divided by 4?")}, "10 / 4 = 2.5"},
		{"bare", []openai.ChatCompletionMessage{user("1,000 - 1 =")}, "1,000 - 1 = 999"},
		{"negative", []openai.ChatCompletionMessage{user("what is -3 * -2?")}, "-3 * -2 = 6"},
		{"division by zero", []openai.ChatCompletionMessage{user("what is 1/0?")}, "1/0 has no finite value."},
		{"say", []openai.ChatCompletionMessage{user("Say hello world")}, "hello world"},
		{"repeat", []openai.ChatCompletionMessage{user("repeat:  a\nb ")}, "a\nb"},
		{"quoted echo", []openai.ChatCompletionMessage{user(`say "what is 2+2?"`)}, "what is 2+2?"},
		{"system prompt", []openai.ChatCompletionMessage{system(handbook), user("When are broken goods refunded?")}, "Broken goods are refunded within 30 days. [refunds]"},
		{"label of a later document", []openai.ChatCompletionMessage{system(handbook), user("Does a gift card expire?")}, "Gift cards never expire. [Document 7]"},
		{"same label goes on", []openai.ChatCompletionMessage{system(handbook), user("What time does it close on Sunday?")}, "It closes at six on Sundays. [hours]"},
		{"documents in the message", []openai.ChatCompletionMessage{user("Context: The tower is 330 metres high. It was built in 1889.\n\nQuestion: How high is the tower?")}, "According to the context: The tower is 330 metres high."},
		{"tagged documents", []openai.ChatCompletionMessage{user("<document id=\"a1\">The fox lives in a den.</document>\n<document id=\"b2\">Bees make honey.</document>\nWho makes honey?")}, "Bees make honey. [b2]"},
		{"earlier message", []openai.ChatCompletionMessage{user("Hi! My name is Ada."), {Role: "assistant", Content: "Hello"}, user("What is my name?")}, "You said earlier: My name is Ada."},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := f.ask(t, c.messages...); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnswerWithoutAnyRuleNamesModelAndQuestion(t *testing.T) {
	f := start(t, Config{})
	for _, question := range []string{"Who are you?", "When is 2026-01-08?", "…", `"`} {
		got := f.ask(t, system("You are a pirate."), user(question))
		if !strings.Contains(got, "test-model") || !strings.Contains(got, strings.ReplaceAll(question, `"`, `\"`)) {
			t.Errorf("%q: %q", question, got)
		}
	}
}

func TestImagesAreCounted(t *testing.T) {
	f := start(t, Config{})
	image := openai.ChatMessagePart{Type: "image_url", ImageURL: &openai.ChatMessageImageURL{URL: "data:image/png;base64,AA=="}}
	got := f.ask(t, openai.ChatCompletionMessage{Role: "user", MultiContent: []openai.ChatMessagePart{{Type: "text", Text: "what is 1+1?"}, image, image}})
	if want := "I see 2 images. 1+1 = 2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTokensJoinToTheText(t *testing.T) {
	texts := []string{"", "a", " a  b\n\nc ", "Hello, world!", "naïve 東京🙂 x", strings.Repeat("long", 30), "\xff\xfe", "{\"a\":[1,2]}", "   "}
	for _, text := range texts {
		tokens := tokenise(text)
		if got := strings.Join(tokens, ""); got != text || len(tokens) != countTokens(text) {
			t.Errorf("%q: tokens %q", text, tokens)
		}
	}
	if got := tokenise("Hello, big world!"); strings.Join(got, "|") != "Hello|,| big| world|!" {
		t.Errorf("tokens %q", got)
	}
}
