package model

import (
	"reflect"
	"testing"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
)

// Whatever a study says about the model reaches the engine: no key of an architecture is forgotten on the way.
func TestConfigTakesEveryField(t *testing.T) {
	typ := reflect.TypeFor[kind.Model]()
	for i := range typ.NumField() {
		m := stagetest.Model
		switch v := reflect.ValueOf(&m).Elem().Field(i); v.Kind() {
		case reflect.Int:
			v.SetInt(v.Int() + 1)
		case reflect.Float64:
			v.SetFloat(v.Float() + 1)
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.String:
			v.SetString(v.String() + "x")
		default:
			t.Fatalf("field %s: a %v is new here", typ.Field(i).Name, v.Kind())
		}
		if Config(m) == Config(stagetest.Model) {
			t.Errorf("field %s does not change the engine's configuration", typ.Field(i).Name)
		}
	}
}
