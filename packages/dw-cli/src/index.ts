export type { CommandGrammar, OperandGrammar, OptionGrammar } from "./grammar/command.ts";
export { createProgram } from "./program/program.ts";
export { settingsSchema } from "./context/settings.ts";
export { COMMANDS, DAEMONS, NOUNS } from "./program/commands.ts";
