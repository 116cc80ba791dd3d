import { LOG_LEVELS } from "@datawire/protocol";
import type { ReactNode } from "react";
import { plural } from "../../core/format.ts";
import { ofTraces } from "../../core/problems.ts";
import { useConsole, useKept, useParam, useReply, useSettled } from "../../data/console.ts";
import { servicesQuestion, statusQuestion } from "../../data/questions.ts";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Page } from "../../parts/page.tsx";
import { ProblemList } from "../../parts/problem-list.tsx";
import { Table } from "../../parts/table.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { Filter, Search, Toolbar } from "../../parts/toolbar.tsx";
import {
  droppedText,
  type Filters,
  type Kind,
  type Listing,
  type Lost,
  lostQuestion,
  MESSAGES,
  newestQuestion,
  TRACES,
} from "./data.ts";
import { MESSAGE_COLUMNS } from "./message-columns.tsx";
import { More } from "./more.tsx";
import { useOlder } from "./older.ts";
import { TraceTable } from "./trace-table.tsx";

const RANGES = ["15m", "1h", "6h", "24h", "3d"];
const LIVE = "on";

/** Messages and spans: by request, the newest first, or one by one. */
export function Logs() {
  const [live, setLive] = useParam("live", LIVE);
  const services = useReply(servicesQuestion).data?.services ?? [];
  const isLive = live === LIVE;
  return (
    <Page
      title="Logs & Traces"
      actions={
        <button type="button" aria-pressed={isLive} className="toggle" onClick={() => setLive(isLive ? "off" : LIVE)}>
          Live
        </button>
      }
    >
      <Toolbar>
        <Search placeholder='words, "phrases", key=value' />
        <Filter label="Service" param="service" options={services.map(({ service }) => service)} all="any" />
        <Filter label="Level" param="level" options={LOG_LEVELS} all="any" />
        <Filter label="Since" param="since" options={RANGES} all="all that is kept" />
      </Toolbar>
      <Wrong />
      <Tabs
        label="Views of logs"
        tabs={[
          {
            key: "traces",
            title: "Traces",
            show: () => <Newest kind={TRACES} isLive={isLive} show={(traces) => <TraceTable traces={traces} />} />,
          },
          {
            key: "messages",
            title: "Messages",
            show: () => (
              <Newest
                kind={MESSAGES}
                isLive={isLive}
                show={(events) => (
                  <Table label="Messages" rows={events} columns={MESSAGE_COLUMNS} keyOf={({ id }) => id} />
                )}
              />
            ),
          },
        ]}
      />
    </Page>
  );
}

/** What is wrong with keeping: an empty list says nothing of that. */
function Wrong() {
  const problems = ofTraces(useReply(statusQuestion).data?.problems ?? []);
  return problems.length === 0 ? null : <ProblemList problems={problems} />;
}

function useFilters(): Filters {
  const [typed] = useParam("q");
  const [service] = useParam("service");
  const [level] = useParam("level");
  const [since] = useParam("since");
  return { q: useSettled(typed.trim()), service, level, since };
}

interface NewestProps<Row> {
  readonly kind: Kind<Row>;
  readonly isLive: boolean;
  readonly show: (rows: readonly Row[]) => ReactNode;
}

function Newest<Row>({ kind, isLive, show }: NewestProps<Row>) {
  const filters = useFilters();
  const reply = useKept(useReply(newestQuestion(kind, filters, isLive)));
  const lost = useReply(lostQuestion).data;
  return (
    <Answered reply={reply}>
      {(newest) => (
        <>
          {lost === null ? null : <LostRows {...lost} />}
          <Rows {...{ newest, kind, filters, show }} />
        </>
      )}
    </Answered>
  );
}

interface RowsProps<Row> extends Pick<NewestProps<Row>, "kind" | "show"> {
  readonly newest: Listing<Row>;
  readonly filters: Filters;
}

function Rows<Row>({ newest, kind, filters, show }: RowsProps<Row>) {
  const list = useOlder(newest, kind, filters);
  if (list.rows.length === 0 && list.more === null) return <Nothing isChosen={Object.values(filters).some(Boolean)} />;
  return (
    <>
      {list.rows.length === 0 ? <Empty title="Nothing found so far" /> : show(list.rows)}
      <More list={list} />
    </>
  );
}

/** @param isChosen whether some are left out by what is searched for. */
function Nothing({ isChosen }: { readonly isChosen: boolean }) {
  const { navigation } = useConsole();
  if (isChosen)
    return (
      <Empty title="Nothing matches">
        <button
          type="button"
          onClick={() => navigation.setParams({ q: null, service: null, level: null, since: null })}
        >
          Show all that is kept
        </button>
      </Empty>
    );
  return (
    <Empty title="Nothing to show">
      Send some: <code>OTEL_EXPORTER_OTLP_ENDPOINT</code> set to this directory is enough, and{" "}
      <code>spans: errors</code> in sherlock.yaml adds requests that failed.
    </Empty>
  );
}

function LostRows({ dropped, missing }: Lost) {
  const text = droppedText(dropped);
  const count = Object.values(dropped).reduce((sum, each) => sum + each, 0);
  return (
    <>
      <p data-testid="dropped" data-value={count} className={text === null ? "quiet spaced" : "text-warn spaced"}>
        {text === null
          ? "Nothing was dropped since this directory started."
          : `Dropped since this directory started: ${text}.`}
      </p>
      {missing.length === 0 ? null : (
        <p role="status" className="banner banner-warn">
          {plural(missing.length, "directory", "directories")} did not answer in time, so that there may be more:{" "}
          {missing.join(", ")}
        </p>
      )}
    </>
  );
}
