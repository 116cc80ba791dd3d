export type { CommandGrammar, OperandGrammar, OptionGrammar } from "./command.ts";
export { createProgram } from "./program.ts";
export { settingsSchema } from "./settings.ts";
export { COMMANDS, DAEMONS, NOUNS } from "./grammar.ts";
