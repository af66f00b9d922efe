package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

const timeTolerance = time.Second

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// Matcher compares what came with what is expected. Times are relative to the call.
type Matcher struct{ before, after time.Time }

// absent stands for a field that is not there.
type absent struct{}

// match returns the first difference, with its place.
func (m Matcher) match(place string, expected, found Value) error {
	if fields, ok := expected.(map[string]interface{}); ok {
		for key, argument := range fields {
			if key[0] == '$' {
				return m.matchSpecial(place, key, argument, fields, found)
			}
		}
		return m.matchObject(place, fields, found)
	}
	if list, ok := expected.([]interface{}); ok {
		return m.matchList(place, list, found)
	}
	if expected != found {
		return differ(place, expected, found)
	}
	return nil
}

func (m Matcher) matchObject(place string, expected map[string]interface{}, found Value) error {
	object, ok := found.(map[string]interface{})
	if !ok {
		return differ(place, expected, found)
	}
	for key, field := range expected {
		value, ok := object[key]
		if !ok {
			value = absent{}
		}
		if err := m.match(place+"."+key, field, value); err != nil {
			return err
		}
	}
	return nil
}

func (m Matcher) matchList(place string, expected []interface{}, found Value) error {
	list, ok := found.([]interface{})
	if !ok || len(list) != len(expected) {
		return differ(place, expected, found)
	}
	for i, item := range expected {
		if err := m.match(fmt.Sprintf("%s.%d", place, i), item, list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m Matcher) matchSpecial(place, key string, argument Value, fields map[string]interface{}, found Value) error {
	_, isAbsent := found.(absent)
	matches := false
	switch key {
	case "$absent":
		matches = isAbsent
	case "$any":
		matches = !isAbsent
	case "$uuid":
		text, ok := found.(string)
		matches = ok && uuidForm.MatchString(text)
	case "$matches":
		text, ok := found.(string)
		matches = ok && regexp.MustCompile(argument.(string)).MatchString(text)
	case "$length":
		list, ok := found.([]interface{})
		matches = ok && float64(len(list)) == argument
	case "$each":
		list, ok := found.([]interface{})
		for i, item := range list {
			if err := m.match(fmt.Sprintf("%s.%d", place, i), argument, item); err != nil {
				return err
			}
		}
		matches = ok && len(list) > 0
	case "$between":
		number, ok := found.(float64)
		bounds := argument.([]interface{})
		matches = ok && bounds[0].(float64) <= number && number <= bounds[1].(float64)
	case "$time":
		return m.matchTime(place, argument, fields["from"], found)
	case "$not":
		matches = m.match(place, argument, found) != nil
	case "$one_of":
		for _, choice := range argument.([]interface{}) {
			matches = matches || m.match(place, choice, found) == nil
		}
	default:
		return fmt.Errorf("%s: the matcher %s is not known", place, key)
	}
	if !matches {
		return differ(place, fields, found)
	}
	return nil
}

// matchTime expects a time that is the given number of seconds after the call, or after `from`.
func (m Matcher) matchTime(place string, argument, from, found Value) error {
	text, _ := found.(string)
	moment, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return differ(place, "a time", found)
	}
	earliest, latest := m.before, m.after
	if from != nil {
		start, err := time.Parse(time.RFC3339Nano, from.(string))
		if err != nil {
			return fmt.Errorf("%s: from: %v", place, err)
		}
		earliest, latest = start, start
	}
	bounds, ok := argument.([]interface{})
	if !ok {
		bounds = []interface{}{argument, argument}
	}
	earliest = earliest.Add(seconds(bounds[0]) - timeTolerance)
	latest = latest.Add(seconds(bounds[1]) + timeTolerance)
	if moment.Before(earliest) || moment.After(latest) {
		return fmt.Errorf("%s: expected a time from %v to %v, but it is %s", place, earliest, latest, text)
	}
	return nil
}

func seconds(value Value) time.Duration {
	return time.Duration(value.(float64) * float64(time.Second))
}

func differ(place string, expected, found Value) error {
	show := func(value Value) string {
		if _, ok := value.(absent); ok {
			return "nothing"
		}
		text, _ := json.Marshal(value)
		return string(text)
	}
	return fmt.Errorf("%s: expected %s, but there is %s", place, show(expected), show(found))
}
