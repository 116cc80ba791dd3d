/** A heartbeat changes nothing by being repeated, which is what it is for. */
const READS =
  /^(curl -X PUT \S+\/v1\/heartbeat\/|curl (?!.*-X|.*--data|.*-d )|cat |for |pgrep |node examples\/mdk\/(?:client|sessions)\.ts|dw config$|dw (?:-d \S+ )?(status|explain|doctor|(service|instance|route|caller|token|config) (list|show|history|get))\b)/;

/** Whether a command may be repeated until what it reads has come about. */
export function onlyReads(command: string): boolean {
  // Of several lines the last one tells; what is before it only prepares.
  return READS.test(command.trim().split("\n").at(-1) ?? "") && !/^dw config set/m.test(command);
}
