package lm

import (
	"math"
	"strings"
	"testing"
)

// authors is the model of the paper's authors (paper/FACTS.md, model) in a given size.
func authors(d, heads, layers int) Config {
	return Config{
		Vocab: 50304, DModel: d, Layers: layers, Heads: heads, Context: 2048,
		Block: Sequential, Norm: LayerNorm, NormBias: true, LinearBias: true, QKNorm: true, MLP: SwiGLU, MLPHidden: 4 * d,
		AttnOut: false, TiedHead: true, RopeBase: 10000, Rotary: 1, NormEps: 1e-5, InitStd: 0.02,
	}
}

func TestFLOPsPerToken(t *testing.T) {
	cfg := Config{
		Vocab: 10, DModel: 4, Layers: 2, Heads: 2, Context: 7,
		Block: Sequential, Norm: RMSNorm, MLP: GELU, MLPHidden: 16, AttnOut: true, RopeBase: 1e4, Rotary: 1, NormEps: 1e-5,
	}
	// Weights per layer: 3*16 + 16 + 2*64 = 192; head 40; attention: 4*4*(7+1)/2 = 64 per layer.
	if got, want := cfg.FLOPsPerToken(), 2.0*(2*192+40)+2*64; got != want {
		t.Errorf("gelu: %g, want %g", got, want)
	}
	cfg.MLP, cfg.AttnOut = SwiGLU, false
	// 3*16 + 64 + 8*4 = 144.
	if got, want := cfg.FLOPsPerToken(), 2.0*(2*144+40)+2*64; got != want {
		t.Errorf("swiglu: %g, want %g", got, want)
	}
}

// Every matrix multiplies each token once, but for the embedding, which is looked up, and multiplies only as a tied head.
func TestFLOPsPerTokenOfTensors(t *testing.T) {
	for _, cfg := range variants() {
		var weights int64
		for _, s := range cfg.tensors() {
			if len(s.shape) == 2 && (s.name != "wte.weight" || cfg.TiedHead) {
				weights += s.size()
			}
		}
		want := 2*float64(weights) + float64(cfg.Layers*4*cfg.DModel)*float64(cfg.Context+1)/2
		if got := cfg.FLOPsPerToken(); got != want {
			t.Errorf("%s: %g, want %g", label(cfg), got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"heads do not divide", func(c *Config) { c.Heads = 5 }, []string{"d_model 768", "heads 5"}},
		{"odd head", func(c *Config) { c.DModel, c.Heads = 9, 3 }, []string{"d_model 9 / heads 3", "3 wide", "rotary 1 turns 3 channels"}},
		{"odd part of a head", func(c *Config) { c.Rotary = 0.234375 }, []string{"heads 64 wide", "rotary 0.234375 turns 15 channels", "even"}},
		{"no whole channels", func(c *Config) { c.Rotary = 0.3 }, []string{"rotary 0.3 turns 19.2 channels"}},
		{"no channel", func(c *Config) { c.Rotary = 1e-9 }, []string{"turns 6.4e-08 channels, want an even whole number, at least 2"}},
		{"nothing turns", func(c *Config) { c.Rotary = 0 }, []string{"rotary is 0, want more than 0 and at most 1"}},
		{"more than a head", func(c *Config) { c.Rotary = 1.5 }, []string{"rotary is 1.5"}},
		{"rotary is no number", func(c *Config) { c.Rotary = math.NaN() }, []string{"rotary is NaN"}},
		{"no layers", func(c *Config) { c.Layers = 0 }, []string{"layers is 0", "1 to 4096"}},
		{"huge", func(c *Config) { c.Vocab = 1 << 40 }, []string{"vocab is 1099511627776"}},
		{"words", func(c *Config) { c.Block, c.Norm, c.MLP = "Parallel", "", "relu" },
			[]string{`block is "Parallel"`, `norm is ""`, `mlp is "relu"`, `["gelu" "swiglu"]`}},
		{"precision", func(c *Config) { c.Precision = "fp16" }, []string{`precision is "fp16"`, `"bf16"`}},
		{"odd swiglu", func(c *Config) { c.MLPHidden = 7 }, []string{"mlp_hidden is 7"}},
		{"no eps", func(c *Config) { c.NormEps = 0 }, []string{"norm_eps is 0"}},
		{"base 1", func(c *Config) { c.RopeBase = 1 }, []string{"rope_base is 1, want more than 1"}},
		{"negative std", func(c *Config) { c.InitStd = -1 }, []string{"init_std is -1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := authors(768, 12, 12)
			c.change(&cfg)
			err := cfg.Validate()
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
			if _, err := New(cfg, Options{Threads: 1}); err == nil {
				t.Error("New accepts it")
			}
		})
	}
}
