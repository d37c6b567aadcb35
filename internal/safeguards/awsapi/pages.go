package awsapi

import (
	"context"
	"errors"
)

// maxPages bounds a list: a service that gives page after page must not fill the disk with a journal.
const maxPages = 10_000

var errPages = errors.New("cannot read the list: its pages do not end")

// fetch reads one page; from is nil for the first, and so is next after the last.
type fetch[T any] func(ctx context.Context, from *string) (list []T, next *string, err error)

// eachPage reads all pages from a marker on.
func eachPage[T any](ctx context.Context, from *string, read fetch[T], each func(list []T, next *string) error) error {
	for range maxPages {
		list, next, err := read(ctx, from)
		if err != nil {
			return err
		}
		if next != nil && (*next == "" || from != nil && *next == *from) {
			if *next != "" {
				return errPages
			}
			next = nil
		}
		if err := each(list, next); err != nil {
			return err
		}
		if next == nil {
			return nil
		}
		from = next
	}
	return errPages
}

// all reads a whole list, or none of it.
func all[T any](ctx context.Context, read fetch[T]) ([]T, error) {
	var out []T
	err := eachPage(ctx, nil, read, func(list []T, _ *string) error {
		out = append(out, list...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
