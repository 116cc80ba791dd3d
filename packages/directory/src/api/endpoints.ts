import { endpoints, openApiPage, pages } from "@datawire/api";
import { VERSION } from "@datawire/runtime";
import { backupEndpoints } from "./backups.ts";
import { changeEndpoints } from "./changes.ts";
import type { ApiContext } from "./context.ts";
import { readEndpoints } from "./reads.ts";
import { bind, type BoundEndpoint } from "./router.ts";
import { sessionEndpoints } from "./sessions.ts";
import { rolloutEndpoints } from "./rollouts.ts";
import { streamEndpoint } from "./stream.ts";
import { routerEndpoints, statusEndpoint } from "./status.ts";
import { tokenEndpoints } from "./tokens.ts";
import { traceEndpoints } from "./traces.ts";
import { trafficEndpoints } from "./traffic.ts";

/** Every endpoint that answers with JSON or a file, bound to what answers it. */
export function endpointsOf(context: ApiContext): BoundEndpoint[] {
  // Made when somebody asks: it takes longer than all else that a table needs to be opened.
  let page: ReturnType<typeof openApiPage> | null = null;
  return [
    ...readEndpoints(context),
    ...changeEndpoints(context),
    ...rolloutEndpoints(context),
    ...backupEndpoints(context),
    ...tokenEndpoints(context),
    ...traceEndpoints(context),
    ...sessionEndpoints(context),
    ...trafficEndpoints(context),
    streamEndpoint(context),
    statusEndpoint(context),
    ...routerEndpoints(context),
    bind(endpoints.openApi, () => (page ??= openApiPage({ ...pages, ...endpoints }, { version: VERSION }))),
  ];
}
