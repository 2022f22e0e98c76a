package agentrt_test

import "testing"

func TestDataUtils(t *testing.T) {
	a := newApp(t, map[string]string{"routes/utils.ts": `
		const error = (f: () => unknown) => { try { return f(); } catch (e) { return String(e); } };
		export const GET = () => Response.json([
			pb.utils.hash("grüße"),
			/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(pb.utils.uuid()),
			/^[0-9A-Za-z]{1000}$/.test(pb.utils.randomString(1000)),
			pb.utils.randomString(12) !== pb.utils.randomString(12),
			pb.utils.randomString(0),
			error(() => pb.utils.randomString(-1)),
			error(() => pb.utils.randomString(65537)),
		]);`})
	want := `["8285d1ad84c6b6e475d3b50dbf90389c8c7a07a278d9ae46d5698cbe872e3834",true,true,true,"",` +
		`"RangeError: pb.utils.randomString() takes a length from 0 to 65536, not -1",` +
		`"RangeError: pb.utils.randomString() takes a length from 0 to 65536, not 65537"]`
	if got := a.get("/utils").body; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
