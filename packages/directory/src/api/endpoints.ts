import { backupEndpoints } from "./backups.ts";
import { changeEndpoints } from "./changes.ts";
import type { ApiContext } from "./context.ts";
import { openApiEndpoint } from "./openapi.ts";
import { readEndpoints } from "./reads.ts";
import type { Endpoint } from "./router.ts";
import { statusEndpoint } from "./status.ts";
import { tokenEndpoints } from "./tokens.ts";

/** Every endpoint that answers with JSON or a file. */
export function endpointsOf(context: ApiContext): Endpoint[] {
  return [
    ...readEndpoints(context),
    ...changeEndpoints(context),
    ...backupEndpoints(context),
    ...tokenEndpoints(context),
    statusEndpoint(context),
    openApiEndpoint(),
  ];
}
