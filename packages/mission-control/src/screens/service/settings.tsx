import { formatMs } from "../../core/format.ts";
import type { ServiceFacts } from "./data.ts";

/** What is set for a service, and what is left to the default. */
export function Settings({ facts: { settings, service } }: { readonly facts: ServiceFacts }) {
  const rows: readonly (readonly [string, string, string | null])[] = [
    ["Balance", "--balance", settings.balance],
    ["Default URL", "--default", settings.defaultUrl],
    ["Failover", "--failover", settings.failover],
    ["Timeout", "--timeout", duration(settings.timeoutMs)],
    ["Connect timeout", "--connect-timeout", duration(settings.connectTimeoutMs)],
    ["Queue timeout", "--queue-timeout", duration(settings.queueTimeoutMs)],
    ["Retries", "--retries", settings.retries === null ? null : String(settings.retries)],
    ["Connections to an instance", "--max-connections", number(settings.maxConnections)],
    ["Slow start", "--slow-start", duration(settings.slowStartMs)],
  ];
  return (
    <>
      <dl className="facts">
        {rows.map(([name, option, value]) => (
          <div key={option}>
            <dt>{name}</dt>
            <dd>{value ?? <span className="quiet">default</span>}</dd>
          </div>
        ))}
      </dl>
      <p className="quiet">
        All but the balance are changed by <code>dw service set //{service.service}</code>.
      </p>
    </>
  );
}

function duration(ms: number | null): string | null {
  return ms === null ? null : formatMs(ms);
}

function number(value: number | null): string | null {
  return value === null ? null : String(value);
}
