// Compiles the TypeScript to what Node runs, and Relay's graphql`…` to the
// artifacts that relay-compiler wrote. A frontend has its bundler do this.
module.exports = {
  presets: [["@babel/preset-typescript", { onlyRemoveTypeImports: true }], ["@babel/preset-react", { runtime: "automatic" }]],
  plugins: ["relay", "@babel/plugin-transform-modules-commonjs"],
};
