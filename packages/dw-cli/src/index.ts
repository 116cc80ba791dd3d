export type { CommandGrammar, OperandGrammar, OptionGrammar } from "./command.ts";
export { COMMANDS, DAEMONS, NOUNS } from "./grammar.ts";
