package main

import (
	"log"
	"os"

	"gopkg.in/yaml.v3"
)

// File is a file of cases, or the file of fragments.
type File struct {
	Cases     map[string]*Case
	Fragments map[string]*Case
}

// Case is a case or a fragment.
type Case struct {
	name    string
	Alone   bool
	Persons map[string]string
	Steps   []Step
}

// Step has one key that names what it does, and its options.
type Step = map[string]interface{}

// Value is what YAML and JSON contain: nil, bool, float64, string, []Value, map[string]Value.
type Value = interface{}

func readYAML(path string) *File {
	text, err := os.ReadFile(path)
	check(err)
	var file File
	if err := yaml.Unmarshal(text, &file); err != nil {
		log.Fatalf("%s: %v", path, err)
	}
	for _, cases := range []map[string]*Case{file.Cases, file.Fragments} {
		for _, c := range cases {
			for _, step := range c.Steps {
				for key, value := range step {
					step[key] = normalise(value)
				}
			}
		}
	}
	return &file
}

// normalise gives every number one type, as JSON has it.
func normalise(value Value) Value {
	switch value := value.(type) {
	case int:
		return float64(value)
	case int64:
		return float64(value)
	case map[string]interface{}:
		for key, field := range value {
			value[key] = normalise(field)
		}
	case []interface{}:
		for i, item := range value {
			value[i] = normalise(item)
		}
	}
	return value
}
