package main

import (
	"encoding/json"
	"strconv"

	"parley/internal/ground/clock"
)

// What is asked for the desk's page, in each graph's own words.
const (
	deskPage = `query Desk { conversations(view: {kind: ALL}, first: 50) { nodes {
		id name mobileNumber preview isUnread newCount lastMessageAt
		owner { id name } lastMessage { status createdAt content { ... on TextContent { text } } } } } }`
	postgraphileDeskPage = `query Desk { allConversations(first: 50, orderBy: [LAST_MESSAGE_AT_DESC, PRIMARY_KEY_DESC]) { nodes {
		id name address preview isUnread inboundCount readCount lastMessageAt
		agentByOwnerId { id name } lastMessage { status createdAt text } } } }`
)

type named struct{ Name string }

func (n *named) name() string {
	if n == nil {
		return ""
	}
	return n.Name
}

func parleyRows(answer []byte) ([]deskRow, error) {
	var a struct {
		Data struct {
			Conversations struct {
				Nodes []struct {
					Name, MobileNumber, Preview string
					IsUnread                    bool
					NewCount                    int64
					LastMessageAt               string
					Owner                       *named
					LastMessage                 struct {
						Status    string
						CreatedAt string
						Content   struct{ Text string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return nil, err
	}
	var rows []deskRow
	for _, n := range a.Data.Conversations.Nodes {
		var at, lastAt clock.Time
		if err := at.UnmarshalGQL(n.LastMessageAt); err != nil {
			return nil, err
		}
		if err := lastAt.UnmarshalGQL(n.LastMessage.CreatedAt); err != nil {
			return nil, err
		}
		rows = append(rows, deskRow{
			n.Name, n.MobileNumber, n.Preview, n.IsUnread, n.NewCount, int64(at), n.Owner.name(),
			n.LastMessage.Content.Text, n.LastMessage.Status, int64(lastAt),
		})
	}
	return rows, nil
}

// bigint is a number that PostGraphile writes as a string.
type bigint int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *bigint) UnmarshalText(text []byte) error {
	n, err := strconv.ParseInt(string(text), 10, 64)
	*b = bigint(n)
	return err
}

func postgraphileRows(answer []byte) ([]deskRow, error) {
	var a struct {
		Data struct {
			AllConversations struct {
				Nodes []struct {
					Name, Address, Preview  string
					IsUnread                bool
					InboundCount, ReadCount bigint
					LastMessageAt           bigint
					AgentByOwnerID          *named `json:"agentByOwnerId"`
					LastMessage             struct {
						Status, Text string
						CreatedAt    bigint
					}
				}
			}
		}
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return nil, err
	}
	var rows []deskRow
	for _, n := range a.Data.AllConversations.Nodes {
		if n.Name == "" {
			n.Name = n.Address
		}
		rows = append(rows, deskRow{
			n.Name, n.Address, n.Preview, n.IsUnread, int64(n.InboundCount - n.ReadCount), int64(n.LastMessageAt), n.AgentByOwnerID.name(),
			n.LastMessage.Text, n.LastMessage.Status, int64(n.LastMessage.CreatedAt),
		})
	}
	return rows, nil
}

func plainRowsOf(answer []byte) (rows []deskRow, err error) {
	return rows, json.Unmarshal(answer, &rows)
}
