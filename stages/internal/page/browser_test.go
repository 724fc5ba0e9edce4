package page

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser starts a headless Chromium on a page that is written for the test, and fails the test for
// whatever the page complains about or fetches. With SHOTS set to a folder, pictures are left
// there, to be looked at.
func browser(t *testing.T, d Data) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium to look at the page with; on Debian: apt-get install chromium")
	}
	file := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := Render(f, d); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// Root may not use the sandbox, and the page is ours.
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WSURLReadTimeout(time.Minute))
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	var mu sync.Mutex // events come from another goroutine
	var complaints []string
	listen := func(event any) {
		complaint := ""
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			complaint = fmt.Sprintf("exception: %s at %d:%d", e.ExceptionDetails.Text, e.ExceptionDetails.LineNumber, e.ExceptionDetails.ColumnNumber)
		case *runtime.EventConsoleAPICalled:
			complaint = fmt.Sprintf("console.%s is called", e.Type)
		case *log.EventEntryAdded:
			complaint = fmt.Sprintf("log: %s: %s", e.Entry.Level, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if e.Request.URL != "file://"+file {
				complaint = "fetches " + e.Request.URL
			}
		}
		if complaint != "" {
			mu.Lock()
			complaints = append(complaints, complaint)
			mu.Unlock()
		}
	}
	if err := chromedp.Listen(ctx, listen); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range complaints {
			t.Error(c)
		}
	})
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate("file://"+file), chromedp.WaitReady(chromedp.CSS("footer")))
	return ctx
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// colours emulates a scheme of colours on a medium; empty: no more.
func colours(t *testing.T, ctx context.Context, scheme, medium string) {
	t.Helper()
	p := emulation.SetEmulatedMediaParams{Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, p); err != nil {
		t.Fatal(err)
	}
}

// get evaluates a script.
func get[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func shot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestBrowser(t *testing.T) {
	ctx := browser(t, example(t))
	t.Run("sorts by mouse and by keys", func(t *testing.T) { sorts(t, ctx) })
	t.Run("names mixtures", func(t *testing.T) { names(t, ctx) })
	t.Run("light and dark", func(t *testing.T) { grounds(t, ctx) })
	t.Run("print", func(t *testing.T) { prints(t, ctx) })
	t.Run("narrow", func(t *testing.T) { narrow(t, ctx) })
}

// table is the region of the partitions, whose fifth column is tokens.
const partitionsTable = `[aria-label="Partitions"] table`

func sorts(t *testing.T, ctx context.Context) {
	column := func() []float64 {
		return get[[]float64](t, ctx, `[...document.querySelectorAll('`+partitionsTable+` tbody td:nth-child(5)')].map(c => Number(c.dataset.v))`)
	}
	state := func() string {
		return get[string](t, ctx, `document.querySelector('`+partitionsTable+` th:nth-child(5)').getAttribute("aria-sort") ?? ""`)
	}
	const button chromedp.CSS = partitionsTable + ` th:nth-child(5) button`
	original := column()
	upward := slices.Sorted(slices.Values(original))
	downward := slices.Clone(upward)
	slices.Reverse(downward)
	if slices.Equal(original, upward) || len(original) != 8 {
		t.Fatalf("the column %v is sorted before it is", original)
	}
	for _, press := range []struct {
		name   string
		action chromedp.Action[chromedp.Void]
		state  string
		want   []float64
	}{
		{"click", chromedp.Click(button), "ascending", upward},
		{"Enter", chromedp.SendKeys(button, kb.Enter), "descending", downward},
		{"space", chromedp.SendKeys(button, " "), "", original},
	} {
		do(t, ctx, press.action)
		if got := column(); !slices.Equal(got, press.want) || state() != press.state {
			t.Errorf("after %s the column is %v and said to be %q, want %v and %q", press.name, got, state(), press.want, press.state)
		}
	}
}

func names(t *testing.T, ctx context.Context) {
	tip := func() string {
		return get[string](t, ctx, `document.querySelector("#tip").hidden ? "" : document.querySelector("#tip").innerText`)
	}
	if got := tip(); got != "" {
		t.Fatalf("at first the page names %q", got)
	}
	// The third row of the scores on the first set, found by the place of its mark.
	at := get[[]float64](t, ctx, `(() => {
		const svg = document.querySelector("#trust svg.ablate-plot");
		svg.scrollIntoView({block: "center"});
		const marks = [...svg.querySelectorAll("path.p[d]")].filter(m => m.getBoundingClientRect().height > 0);
		const r = marks[marks.length - 1].getBoundingClientRect();
		return [r.left + r.width / 2, r.top + r.height / 2];
	})()`)
	do(t, ctx, chromedp.MouseEvent(chromedp.MouseMoved, at[0], at[1]))
	named := tip()
	mixture, _, _ := strings.Cut(named, "\n")
	mixtures := get[[]string](t, ctx, `[...document.querySelectorAll("#scores table tbody th")].map(c => c.textContent)`)
	if !slices.Contains(mixtures, mixture) || !strings.Contains(named, "macro") || !strings.Contains(named, "reference") {
		t.Errorf("over a mark the page says %q, want one of %v with its scores", named, mixtures)
	}
	if n := get[int](t, ctx, `new Set([...document.querySelectorAll("#trust svg .on")].map(m => m.closest("svg"))).size`); n != 4 {
		t.Errorf("the mixture is shown in %d figures, want 4", n)
	}
	if dir := os.Getenv("SHOTS"); dir != "" { // of what is seen: a picture of the whole page would move it away from the pointer
		picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "tip.png"), picture, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	do(t, ctx, chromedp.MouseEvent(chromedp.MouseMoved, 3, 3))
	if got := tip(); got != "" {
		t.Errorf("with the pointer away the page names %q", got)
	}
	// By keys alone: each arrow is another mixture, and as many as there are rows.
	seen := map[string]bool{}
	do(t, ctx, chromedp.Focus(chromedp.CSS("#trust svg.ablate-plot")), chromedp.KeyEvent(kb.Home))
	for range 12 {
		first, _, _ := strings.Cut(tip(), "\n")
		seen[first] = true
		do(t, ctx, chromedp.KeyEvent(kb.ArrowRight))
	}
	if len(seen) != 12 || seen[""] {
		t.Errorf("the arrow keys named %v, want the 12 mixtures", seen)
	}
	do(t, ctx, chromedp.KeyEvent(kb.Escape))
	if got := tip(); got != "" {
		t.Errorf("after Escape the page names %q", got)
	}
	get[bool](t, ctx, `document.activeElement.blur(), true`)
}

// brightness is the mean of a CSS colour's three parts.
func brightness(t *testing.T, colour string) int {
	t.Helper()
	var r, g, b int
	if _, err := fmt.Sscanf(colour, "rgb(%d, %d, %d)", &r, &g, &b); err != nil {
		t.Fatalf("colour %q: %v", colour, err)
	}
	return (r + g + b) / 3
}

func grounds(t *testing.T, ctx context.Context) {
	for scheme, is := range map[string]func(ground, ink, figure int) bool{
		"light": func(ground, ink, figure int) bool { return ground > 240 && ink < 60 && figure > 240 },
		"dark":  func(ground, ink, figure int) bool { return ground < 60 && ink > 220 && figure < 60 },
	} {
		colours(t, ctx, scheme, "screen")
		ground := brightness(t, get[string](t, ctx, `getComputedStyle(document.body).backgroundColor`))
		ink := brightness(t, get[string](t, ctx, `getComputedStyle(document.body).color`))
		figure := brightness(t, get[string](t, ctx, `getComputedStyle(document.querySelector("svg.ablate-plot")).backgroundColor`))
		if !is(ground, ink, figure) {
			t.Errorf("%s: ground %d, ink %d, ground of figures %d", scheme, ground, ink, figure)
		}
		shot(t, ctx, scheme)
	}
	colours(t, ctx, "", "")
}

func prints(t *testing.T, ctx context.Context) {
	// Print must be dark on light whatever the screen is.
	colours(t, ctx, "dark", "print")
	shot(t, ctx, "print")
	if ink := brightness(t, get[string](t, ctx, `getComputedStyle(document.body).color`)); ink > 60 {
		t.Errorf("ink of print has brightness %d", ink)
	}
	if scheme := get[string](t, ctx, `getComputedStyle(document.documentElement).colorScheme`); scheme != "light" { // or the paper would be dark
		t.Errorf("print is for a ground that is %s", scheme)
	}
	if display := get[string](t, ctx, `getComputedStyle(document.querySelector("nav")).display`); display != "none" {
		t.Errorf("the list of sections is printed as %s", display)
	}
	colours(t, ctx, "", "")
	pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperSize{Width: 8.27, Height: 11.69}), chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
	if err != nil {
		t.Fatal(err)
	}
	if pages := strings.Count(string(pdf), "/Type /Page\n") + strings.Count(string(pdf), "/Type /Page "); !strings.HasPrefix(string(pdf), "%PDF-") || pages < 3 || pages > 40 {
		t.Errorf("printed %d bytes on %d pages", len(pdf), pages)
	}
	if closed := get[int](t, ctx, `document.querySelectorAll("details:not([open])").length`); closed != 0 {
		t.Errorf("%d parts are closed in print", closed)
	}
	if dir := os.Getenv("SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "report.pdf"), pdf, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func narrow(t *testing.T, ctx context.Context) {
	do(t, ctx, chromedp.EmulateViewport(400, 800, chromedp.EmulateMobile))
	if wide := get[int](t, ctx, `document.documentElement.scrollWidth`); wide > 400 {
		who := get[[]string](t, ctx, `[...document.querySelectorAll("main *")].filter(e => !e.closest(".scroll") && e.getBoundingClientRect().right > 401).slice(0, 5).map(e => e.tagName + "." + e.getAttribute("class"))`)
		t.Errorf("on a screen of 400 pixels the page is %d wide, because of %v", wide, who)
	}
	shot(t, ctx, "narrow")
}
