package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const outboxTimeout = 30 * time.Second

// World is the sandbox's HTTP interface.
type World struct{ url string }

func (w *World) get(path string) (Value, error) {
	response, err := http.Get(w.url + path)
	if err != nil {
		return nil, err
	}
	return readAnswer(path, response)
}

func (w *World) post(path string, body Value) (Value, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	response, err := http.Post(w.url+path, "application/json", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return readAnswer(path, response)
}

func readAnswer(path string, response *http.Response) (Value, error) {
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s %s %v", path, response.Status, text, err)
	}
	var answer Value
	if len(text) > 0 {
		err = json.Unmarshal(text, &answer)
	}
	return answer, err
}

// person is one of `GET /people`, or a new one.
func (w *World) person(id string) (Value, error) {
	if id == "new" {
		return w.post("/people/claim", map[string]interface{}{})
	}
	return w.get("/people/" + url.PathEscape(id))
}

func (w *World) now() (time.Time, error) {
	clock, err := w.get("/clock")
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339Nano, clock.(map[string]interface{})["time"].(string))
}

// texts waits until no message is due, and returns the texts on a phone.
func (w *World) texts(number string) ([]interface{}, error) {
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		outbox, err := w.get("/outbox")
		if err != nil {
			return nil, err
		}
		if outbox.(map[string]interface{})["due"] == 0.0 {
			break
		}
		if time.Since(start) > outboxTimeout {
			return nil, fmt.Errorf("messages are still due after %v", outboxTimeout)
		}
	}
	messages, err := w.get("/phones/" + url.PathEscape(number) + "/messages")
	if err != nil {
		return nil, err
	}
	texts := []interface{}{}
	for _, message := range messages.([]interface{}) {
		texts = append(texts, message.(map[string]interface{})["text"])
	}
	return texts, nil
}

// reset ends what a case that is played alone has broken.
func (w *World) reset() error {
	if _, err := w.post("/gateway", map[string]string{"mode": "accept"}); err != nil {
		return err
	}
	_, err := w.post("/register", map[string]string{"mode": "up"})
	return err
}
