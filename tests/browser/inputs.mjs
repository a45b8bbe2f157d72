// The inputs whose Markdown is rendered: what lies in the repository, and what nobody would write by hand.
import { existsSync } from "node:fs";
import { join } from "node:path";

const OPERATOR = "operator.victoriametrics.com/v1beta1";

const strict = (mode = "STRICT") => ({
  apiVersion: "security.istio.io/v1",
  kind: "PeerAuthentication",
  metadata: { name: "default", namespace: "istio-system" },
  spec: { mtls: { mode } },
});

const namespace = (name) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { "istio-injection": "enabled" } },
});

const agent = (name, team) => ({
  apiVersion: OPERATOR,
  kind: "VMAgent",
  metadata: { name, namespace: "monitoring" },
  spec: {
    disableSelfServiceScrape: true,
    serviceScrapeNamespaceSelector: {},
    serviceScrapeSelector: team ? { matchLabels: { team } } : {},
  },
});

// A scrape object of one endpoint, its Service, and so many Deployments behind it.
const app = (name, team, workloads = 1, labels = {}) => [
  {
    apiVersion: OPERATOR,
    kind: "VMServiceScrape",
    metadata: { name, namespace: "shop", labels: { team } },
    spec: { selector: { matchLabels: { app: name } }, endpoints: [{ port: "http" }] },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "shop", labels: { app: name } },
    spec: { selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
  },
  ...Array.from({ length: workloads }, (_, i) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: workloads === 1 ? name : `${name}-${i}`, namespace: "shop" },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name, ...labels } },
        spec: { containers: [{ name: "app", image: "app", ports: [{ containerPort: 8080 }] }] },
      },
    },
  })),
];

const stream = (objects) => objects.map((one) => JSON.stringify(one)).join("\n---\n");

// 40 endpoints that change, 12 that stay, of 5 scrapers; some with many workloads.
function forty() {
  const objects = [strict(), namespace("shop"), namespace("monitoring")];
  for (let i = 0; i < 5; i++) objects.push(agent(`agent-${i}`, `team-${i}`));
  for (let i = 0; i < 40; i++) objects.push(...app(`app-${i}`, `team-${i % 5}`, i % 8 === 0 ? 15 : 1));
  for (let i = 0; i < 12; i++)
    objects.push(...app(`legacy-${i}`, `team-${i % 3}`, 1, { "sidecar.istio.io/inject": "false" }));
  return stream(objects);
}

// As many as a large cluster has, all selected by all scrapers; of each a word of its own is to be said, or of all the same.
function thousands(each) {
  const objects = [strict(), namespace("shop"), namespace("monitoring"), agent("one"), agent("two")];
  for (let i = 0; i < 5000; i++) {
    const name = `app-${i}`;
    objects.push(...app(name, "all"));
    if (each) objects.push({ ...strict(), metadata: { name, namespace: "shop" }, spec: { selector: { matchLabels: { app: name } }, mtls: { mode: "STRICT" } } });
  }
  return stream(objects);
}

// A few changes, warnings of several kinds, an endpoint that no scraper selects.
function mixture() {
  const permissive = strict("PERMISSIVE");
  permissive.metadata = { name: "cart", namespace: "shop" };
  permissive.spec.selector = { matchLabels: { app: "cart" } };
  const secured = app("billing", "a");
  secured[0].spec.endpoints[0] = { port: "http", scheme: "https", tlsConfig: { caFile: "/own/ca.pem" } };
  const lost = app("lost", "a").slice(0, 1);
  return stream([
    strict(), permissive, namespace("shop"), namespace("monitoring"), agent("main", "a"), agent("other", "b"),
    ...app("orders", "a", 9), ...app("cart", "a"), ...secured, ...lost, ...app("web", "b"), ...app("nobody", "c"),
    ...app("jobs", "b", 2, { "sidecar.istio.io/inject": "false" }),
  ]);
}

const HOSTILE = [
  '"]; click n0 "javascript:alert(1)"', "a|b\\|c", "`code` ``` fence", "<img src=x onerror=alert(1)>", "</details><script>alert(1)</script>",
  "@everyone", "#123 GH-7 org/repo#8", "https://evil.example/x", "www.evil.example", "me@evil.example", "end", "%%{init: {'theme':'forest'}}%%",
  "%% comment", "line\nbreak\r\n```\n", "subgraph x; end", "#quot; #59; &lt;b&gt;", "$$x^2$$ $`y`$", ":tada: fa:fa-car", "**bold** __b__ ~~s~~ [l](http://x)",
  "1. list", "- item", "\u202etxt.exe", "x".repeat(5000), "日本語 ünï", "\\n\\\"", "{{x}} ((y)) [/z/]", "class n0 changed", "style n0 fill:#f00", "<!-- a -->", "%",
];

// Names with everything that Markdown, HTML or Mermaid might obey, of all that is named: changes, warnings, targets, scrapers.
function hostileNames() {
  const objects = [strict(), namespace("shop"), namespace("monitoring"), agent("main")];
  HOSTILE.forEach((name, i) => {
    const [scrape, service, deployment] = app(`h${i}`, "a");
    scrape.metadata.name = name;
    deployment.metadata.name = name;
    if (i % 5 === 0) scrape.spec.endpoints[0] = { port: "http", scheme: "https", tlsConfig: { caFile: "/own/ca.pem" } };
    if (i % 3 !== 2) objects.push(agent(name, `team-${i}`));
    if (i % 3 === 0) scrape.metadata.labels.team = `team-${i}`;
    objects.push(scrape, service, deployment);
  });
  return stream(objects);
}

// What messages quote: annotations that cannot be read, modes that there are none of.
function hostileTexts() {
  const objects = [strict(), namespace("shop"), namespace("monitoring"), ...app("web", "a")];
  HOSTILE.forEach((text, i) => {
    const policy = strict(text);
    policy.metadata = { name: text, namespace: `ns${i}` };
    const broken = agent(`broken-${i}`);
    broken.spec.podMetadata = { annotations: { "sidecar.istio.io/userVolumeMount": text } };
    objects.push(policy, broken);
  });
  return stream(objects);
}

// What the program is given, by name: arguments, a folder to run in, or stdin.
export function inputs(repository, data) {
  const kyma = join(data, "corpus/kyma-2021-09-after-11994-as-vm/input.yaml");
  const examples = ["kustomize-exec", "strict", "plain-cli", "context"].map((name) => ({
    name, folder: join(repository, "examples", name), arguments: ["."],
  }));
  return [
    ...examples,
    { name: "kyma", arguments: [kyma], missing: existsSync(kyma) ? undefined : `no test data at ${kyma} (ISTIO_SCRAPE_DATA)` },
    { name: "mixture", stdin: mixture() },
    { name: "forty", stdin: forty() },
    { name: "thousands-alike", stdin: thousands(false) },
    { name: "thousands-each", stdin: thousands(true) },
    { name: "hostile-names", stdin: hostileNames() },
    { name: "hostile-texts", stdin: hostileTexts() },
    { name: "nothing", stdin: stream([strict(), namespace("shop"), agent("main")]) },
    { name: "nothing-to-change", stdin: stream([strict("PERMISSIVE"), namespace("shop"), agent("main"), ...app("web", "a"), ...app("cart", "a")]) },
  ];
}
