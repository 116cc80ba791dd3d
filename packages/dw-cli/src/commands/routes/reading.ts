import { type Input, flag } from "../../context/dw.ts";
import { misuse } from "../../context/operands.ts";

/** Which reading of SOURCE the user insists on; undefined leaves it to the directory. */
export function readingOf(input: Input): "caller" | "service" | undefined {
  const caller = flag(input, "caller");
  const service = flag(input, "service");
  if (caller && service) throw misuse("Cannot use --caller and --service together: SOURCE is one or the other");
  return caller ? "caller" : service ? "service" : undefined;
}
