package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"parley/internal/desk/account"
	"parley/internal/desk/crmsync"
)

// syncSettings are the flags of what a connection is to.
type syncSettings struct {
	Address    *string  `placeholder:"URL" help:"Where the CRM is called, such as https://example.my.salesforce.com."`
	APIVersion *string  `name:"api-version" placeholder:"VERSION" help:"Version of its API; by default the one that Parley was made for."`
	Types      string   `placeholder:"FILE" help:"JSON file with the object types that come from the CRM, as parley sync status --json prints them: a list of objectType, object, mappings, writesBack and externalIdField."`
	ObjectType []string `placeholder:"NAME" help:"Object type that comes from the CRM under the same names. May be repeated."`
	Credential []string `placeholder:"NAME=@FILE" sep:"none" help:"A part of the credentials: NAME=@FILE reads a file, NAME=env:VARIABLE the environment; clientId=VALUE and username=VALUE are no secrets. May be repeated."`
}

// types are the object types that the flags name, nil for none.
func (s *syncSettings) types() (types []crmsync.TypeInput, err error) {
	for _, name := range s.ObjectType {
		types = append(types, crmsync.TypeInput{ObjectType: name})
	}
	if s.Types == "" {
		return types, nil
	}
	text, err := os.ReadFile(s.Types)
	if err != nil {
		return nil, err
	}
	var listed []syncTypeLine
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&listed); err != nil {
		return nil, fmt.Errorf("--types: %s is no list of object types: %w", s.Types, err)
	}
	for _, l := range listed {
		t := crmsync.TypeInput{ObjectType: l.ObjectType, Mappings: l.Mappings, WritesBack: &l.WritesBack, ExternalIDField: &l.IDField}
		if l.Object != "" {
			t.Object = &l.Object
		}
		types = append(types, t)
	}
	return types, nil
}

// public are parts of credentials that are no secrets.
var public = map[string]bool{"clientId": true, "username": true, "audience": true}

func (s *syncSettings) credentials() ([]account.CredentialInput, error) {
	var read []account.CredentialInput
	for _, text := range s.Credential {
		name, source, found := strings.Cut(text, "=")
		if !found {
			return nil, errors.New("write --credential NAME=@FILE or NAME=env:VARIABLE")
		}
		value, err := valueFrom(name, source, !public[name])
		if err != nil {
			return nil, err
		}
		read = append(read, account.CredentialInput{Name: name, Value: value})
	}
	return read, nil
}

type addSyncCmd struct {
	asJSON
	syncSettings
	Kind       string  `arg:"" help:"webhook, or salesforce."`
	Name       string  `required:"" help:"Name of the connection."`
	Connection *string `placeholder:"CONNECTION" help:"Last element of the webhook URL: small letters, digits and hyphens; drawn by default. It never changes."`
}

// Run implements the command.
func (a *addSyncCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		types, err := a.types()
		if err != nil {
			return err
		}
		credentials, err := a.credentials()
		if err != nil {
			return err
		}
		made, secret, err := d.Schema.Syncs.Create(ctx, crmsync.CreateInput{
			Name: a.Name, Kind: crmsync.Kind(strings.ToUpper(a.Kind)), ConnectionID: a.Connection, Address: a.Address, APIVersion: a.APIVersion,
			ObjectTypes: types, Credentials: credentials, IdempotencyKey: rand.Text(),
		})
		if err != nil {
			return err
		}
		return saySync(out, a.JSON, made, secret)
	})
}

type setSyncCmd struct {
	namedSync
	syncSettings
	Name *string `help:"Name of the connection."`
}

// Run implements the command.
func (s *setSyncCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	types, err := s.types()
	if err != nil {
		return err
	}
	credentials, err := s.credentials()
	if err != nil {
		return err
	}
	return s.change(ctx, c, out, func(ctx context.Context, x *crmsync.Service, id string) (*crmsync.Connection, *string, error) {
		changed, err := x.Update(ctx, crmsync.UpdateInput{ID: id, Name: s.Name, Address: s.Address, APIVersion: s.APIVersion, ObjectTypes: types, Credentials: credentials})
		return changed, nil, err
	})
}
