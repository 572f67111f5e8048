// PostGraphile on the tables of Parley in the database DATABASE_URL, as its
// makers advise for production: no explain, no playground, no watching. It
// listens on a free loopback port, says where in one line of JSON, and ends
// when its standard input does.
import { exit, versions } from "node:process";
import { createServer } from "node:http";
import { grafserv } from "postgraphile/grafserv/node";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { pgSmartTags } from "postgraphile/utils";

if (parseInt(versions.node) < 22) {
  console.error(`PostGraphile 5 needs Node 22 or newer, and this is ${versions.node}; name another by --node.`);
  exit(1);
}

// The one relation that Parley does not keep as a foreign key.
const lastMessage = pgSmartTags([
  {
    kind: "class",
    match: "conversations",
    tags: { foreignKey: "(last_message_id) references messages (id)|@fieldName lastMessage" },
  },
]);

const pgService = makePgService({
  connectionString: process.env.DATABASE_URL,
  schemas: ["public"],
  poolConfig: { max: 16 }, // as many as Parley's
});
const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [lastMessage],
  pgServices: [pgService],
  grafast: { explain: false },
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false },
});

const server = createServer();
server.on("error", (error) => {
  console.error(error);
  exit(1);
});
await instance.createServ(grafserv).addTo(server);
server.listen(0, "127.0.0.1", () => {
  const Page = `http://127.0.0.1:${server.address().port}/graphql`;
  console.log(JSON.stringify({ Page, Version: `Node ${versions.node}` }));
});
process.stdin.resume();
process.stdin.on("end", () => exit(0));
