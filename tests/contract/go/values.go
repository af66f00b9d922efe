package main

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
)

// Variables are those of a case.
type Variables map[string]Value

var (
	reference   = regexp.MustCompile(`\$\{([^}]+)\}`)
	agentsTaken int64
)

// resolve replaces references to variables, and makes the values that keys with a dollar sign describe. Matchers stay.
func (v Variables) resolve(value Value) (Value, error) {
	switch value := value.(type) {
	case string:
		return v.resolveText(value)
	case []interface{}:
		items := make([]interface{}, len(value))
		for i, item := range value {
			resolved, err := v.resolve(item)
			if err != nil {
				return nil, err
			}
			items[i] = resolved
		}
		return items, nil
	case map[string]interface{}:
		fields := map[string]interface{}{}
		for key, field := range value {
			resolved, err := v.resolve(field)
			if err != nil {
				return nil, err
			}
			fields[key] = resolved
		}
		return makeValue(fields)
	}
	return value, nil
}

// resolveText replaces each reference in a text. A text that is nothing else becomes the value itself.
func (v Variables) resolveText(text string) (Value, error) {
	if whole := reference.FindStringSubmatch(text); whole != nil && whole[0] == text {
		return v.lookUp(whole[1])
	}
	var failure error
	replaced := reference.ReplaceAllStringFunc(text, func(found string) string {
		value, err := v.lookUp(found[2 : len(found)-1])
		if err != nil {
			failure = err
		}
		return fmt.Sprint(value)
	})
	return replaced, failure
}

// lookUp finds a variable, its field or its item: `a.b.0`.
func (v Variables) lookUp(path string) (Value, error) {
	if path == "uuid" {
		return newUUID(), nil
	}
	var value Value = map[string]interface{}(v)
	for _, part := range strings.Split(path, ".") {
		found := false
		switch container := value.(type) {
		case map[string]interface{}:
			value, found = container[part]
		case []interface{}:
			if i, err := strconv.Atoi(part); err == nil && i < len(container) {
				value, found = container[i], true
			}
		}
		if !found {
			return nil, fmt.Errorf("${%s}: there is no %s", path, part)
		}
	}
	return value, nil
}

func makeValue(fields map[string]interface{}) (Value, error) {
	if text, ok := fields["$text"]; ok {
		return strings.Repeat(text.(string), int(fields["times"].(float64))), nil
	}
	if pair, ok := fields["$merge"]; ok {
		return merge(pair.([]interface{})), nil
	}
	if arguments, ok := fields["$answers"]; ok {
		return answers(arguments.(map[string]interface{}))
	}
	if pin, ok := fields["$wrong_pin"]; ok {
		return otherPIN(pin.(string)), nil
	}
	return fields, nil
}

func merge(pair []interface{}) map[string]interface{} {
	merged := map[string]interface{}{}
	for _, fields := range pair {
		for key, field := range fields.(map[string]interface{}) {
			merged[key] = field
		}
	}
	for key, field := range merged {
		if field == nil {
			delete(merged, key)
		}
	}
	return merged
}

// answers answers each question, the first ones right.
func answers(arguments map[string]interface{}) (Value, error) {
	facts, right := arguments["person"].(map[string]interface{})["facts"].(map[string]interface{}), arguments["right"].(float64)
	given := []interface{}{}
	for i, item := range arguments["questions"].([]interface{}) {
		question := item.(map[string]interface{})
		text := Value("not the answer")
		if float64(i) < right {
			accepted, ok := facts[question["kind"].(string)].([]interface{})
			if !ok {
				return nil, fmt.Errorf("the person has no fact for %v", question["kind"])
			}
			text = accepted[0]
		}
		given = append(given, map[string]interface{}{"question_id": question["question_id"], "text": text})
	}
	return given, nil
}

// otherPIN changes the last digit.
func otherPIN(pin string) string {
	last := pin[len(pin)-1]
	return pin[:len(pin)-1] + string('0'+(last-'0'+1)%10)
}

// newAgent names an agent whom no other case has.
func newAgent() string {
	return fmt.Sprintf("agent-go-%d", atomic.AddInt64(&agentsTaken, 1))
}

func newUUID() string {
	var b [16]byte
	_, err := rand.Read(b[:])
	check(err)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
