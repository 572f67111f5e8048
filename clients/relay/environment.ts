// Relay for Parley: what a frontend sets up once.
import { createClient } from "graphql-ws";
import { Environment, type FetchFunction, Network, Observable, RecordSource, Store, type SubscribeFunction } from "relay-runtime";
import WebSocket from "ws";
import { resuming } from "../graphql-ws/resuming";
import type { Parley } from "../server";

export function relay(parley: Parley, token: string): Environment {
  const socket = resuming(createClient({
    url: parley.socketEndpoint,
    webSocketImpl: WebSocket, // a browser has its own
    retryAttempts: Infinity,
    connectionParams: { Authorization: `Bearer ${token}` },
  }));
  const fetchGraphQL: FetchFunction = async ({ text }, variables) => {
    const response = await fetch(parley.endpoint, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: text, variables }),
    });
    return response.json() as never;
  };
  const subscribe: SubscribeFunction = ({ text }, variables) =>
    Observable.create((sink) => socket.subscribe({ query: text!, variables }, sink as never));
  return new Environment({ network: Network.create(fetchGraphQL, subscribe), store: new Store(new RecordSource()) });
}
