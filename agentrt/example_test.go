package agentrt_test

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/hostfn/hostmodule"
	"github.com/agentrt/agentrt/internal/apptest"
)

// A program adds Go functions to pb.host; TypeScript gets their declarations.
func ExampleConfig_hostModules() {
	type Person struct {
		Name string `json:"name"`
		Age  int    `json:"age,omitempty"`
	}
	type Greeting struct {
		Text string `json:"text"`
	}
	greeter := hostmodule.New("greeter", "Greets people.")
	hostmodule.Async(greeter, "greet", func(ctx context.Context, who Person) (Greeting, error) {
		if who.Name == "" {
			return Greeting{}, &hostmodule.Error{Name: "RangeError", Code: "ERR_NO_NAME", Message: "whom?"}
		}
		return Greeting{Text: "Hello " + who.Name}, nil
	}, hostmodule.Doc("Says hello."))

	dir, err := os.MkdirTemp("", "example-*")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	app, err := apptest.Start(dir, map[string]string{"src/routes/hello.ts": `
		export async function GET() {
			const { text } = await pb.host.greeter.greet({ name: "Ada" });
			const failed = await pb.host.greeter.greet({ name: "" }).catch((e) => e.name + " " + e.code + ": " + e.message);
			return new Response(text + "\n" + failed);
		}`,
	}, agentrt.Config{CacheDir: cacheDir, HostModules: []*hostmodule.Module{greeter}}, nil)
	if err != nil {
		panic(err)
	}
	defer app.Stop()
	res, err := app.Engine.Execute(context.Background(), &agentrt.ExecuteRequest{Path: "/hello"})
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	fmt.Println(string(text))
	declarations, _ := hostmodule.Declarations([]*hostmodule.Module{greeter})
	fmt.Print(declarations)
	// Output:
	// Hello Ada
	// RangeError ERR_NO_NAME: whom?
	// interface HostModules {
	//   /** Greets people. */
	//   readonly greeter: {
	//     /** Says hello. */
	//     greet(input: HostTypes.greeter.Person): Promise<HostTypes.greeter.Greeting>;
	//   };
	// }
	//
	// declare namespace HostTypes.greeter {
	//   interface Greeting {
	//     text: string;
	//   }
	//   interface Person {
	//     name: string;
	//     age?: number;
	//   }
	// }
}
