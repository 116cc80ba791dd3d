import { pathOf } from "../core/address.ts";
import { formatMs, formatRate, formatRatio } from "../core/format.ts";
import type { ServiceRow } from "../core/service-rows.ts";
import { Link } from "./link.tsx";
import { StateMark } from "./state-mark.tsx";
import type { Column } from "./table.tsx";

/** The columns of a list of services. */
export const SERVICE_COLUMNS: readonly Column<ServiceRow>[] = [
  {
    key: "service",
    title: "Service",
    value: ({ service }) => service,
    show: ({ service }) => <Link to={pathOf("services", service)}>{service}</Link>,
  },
  {
    key: "status",
    title: "Status",
    value: ({ status }) => status,
    show: ({ status, reason }) => (
      <span title={reason ?? undefined}>
        <StateMark state={status} />
      </span>
    ),
  },
  { key: "primary", title: "Primary", value: ({ primary }) => primary },
  {
    key: "live",
    title: "Live",
    isNumber: true,
    value: ({ live }) => live,
    show: ({ live, instances }) => `${live} of ${instances}`,
  },
  { key: "held", title: "Held", isNumber: true, value: ({ held }) => held },
  { key: "rate", title: "Rate", isNumber: true, value: ({ rate }) => rate, show: ({ rate }) => formatRate(rate) },
  {
    key: "errors",
    title: "Errors",
    isNumber: true,
    value: ({ errors }) => errors,
    show: ({ errors }) => <ErrorRatio errors={errors} />,
  },
  { key: "p99", title: "p99", isNumber: true, value: ({ p99 }) => p99, show: ({ p99 }) => formatMs(p99) },
];

/** A share of errors, in the colour of trouble where there are some. */
export function ErrorRatio({ errors }: { readonly errors: number | null }) {
  return <span className={errors !== null && errors > 0 ? "text-bad" : undefined}>{formatRatio(errors)}</span>;
}
