export { COMMANDS, type CommandGrammar, DAEMONS, NOUNS } from "./grammar.ts";
export { createProgram } from "./program.ts";
