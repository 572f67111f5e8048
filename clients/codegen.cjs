// Typed documents from documents/*.graphql, for graphql-ws, Apollo, urql and
// plain fetch alike. "sources" keeps their text for the wire.
module.exports = {
  schema: "../schema.graphql",
  documents: "documents/*.graphql",
  generates: {
    "documents/__generated__/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        strictScalars: true,
        scalars: { DateTime: "string", Cursor: "string", Count: "number" },
        enumsAsTypes: true,
        futureProofEnums: true,
        useTypeImports: true,
      },
    },
  },
};
