//! What do the workload, the Service and the scrape object of an application look like?

use std::fmt::Write as _;

use super::dice::Dice;
use super::list::Object;

/// Whose objects they are.
pub(crate) struct App {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// As little as an application can have.
    pub(crate) small: bool,
}

impl App {
    fn object(
        &self,
        (group, version, kind): (&'static str, &'static str, &'static str),
        text: String,
    ) -> Object {
        Object {
            group,
            version,
            kind,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            text,
        }
    }

    pub(crate) fn workload(&self, dice: &mut Dice) -> Object {
        let Self {
            namespace,
            name,
            small,
        } = self;
        let kind = match small {
            true => "Deployment",
            false => dice.one_of(&["Deployment", "Deployment", "Deployment", "StatefulSet"]),
        };
        let replicas = dice.between(1, 6);
        let service_name = match kind {
            "StatefulSet" => format!("  serviceName: {name}\n"),
            _ => String::new(),
        };
        let (own, pod) = match small {
            true => (String::new(), small_pod(name)),
            false => (
                format!(
                    "    checksum/config: {:016x}{:016x}\n    example.com/owner: team-{}\n",
                    dice.number() | 0xa << 60,
                    dice.number(),
                    dice.words(1)
                ),
                pod(name, dice),
            ),
        };
        let text = format!(
            "\
apiVersion: apps/v1
kind: {kind}
metadata:
  annotations:
{own}  labels:
    app.kubernetes.io/name: {name}
  name: {name}
  namespace: {namespace}
spec:
  replicas: {replicas}
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
{service_name}  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
    spec:
{pod}"
        );
        self.object(("apps", "v1", kind), text)
    }

    pub(crate) fn service(&self) -> Object {
        let Self {
            namespace, name, ..
        } = self;
        let exporter = match self.small {
            true => "",
            false => {
                "  - name: exporter\n    port: 9113\n    protocol: TCP\n    targetPort: exporter\n"
            }
        };
        let text = format!(
            "\
apiVersion: v1
kind: Service
metadata:
  annotations:
  labels:
    app.kubernetes.io/name: {name}
  name: {name}
  namespace: {namespace}
spec:
  ports:
{exporter}  - name: http
    port: 80
    protocol: TCP
    targetPort: http
  selector:
    app.kubernetes.io/name: {name}
"
        );
        self.object(("", "v1", "Service"), text)
    }

    /// A scrape object of the application, with the endpoint `http`; of its namespace, or of all when it lies elsewhere.
    pub(crate) fn scrape(
        &self,
        kind: &'static str,
        lies_in: Option<&str>,
        dice: &mut Dice,
    ) -> Object {
        let Self { name, .. } = self;
        let namespace = lies_in.unwrap_or(&self.namespace);
        let (group, version, list) = match kind {
            "VMPodScrape" => (
                "operator.victoriametrics.com",
                "v1beta1",
                "podMetricsEndpoints",
            ),
            "ServiceMonitor" => ("monitoring.coreos.com", "v1", "endpoints"),
            _ => ("operator.victoriametrics.com", "v1beta1", "endpoints"),
        };
        let any = match lies_in {
            Some(_) => "  namespaceSelector:\n    any: true\n",
            None => "",
        };
        let relabelling = match self.small {
            true => String::new(),
            false => {
                let key = match kind {
                    "ServiceMonitor" => "metricRelabelings",
                    _ => "metricRelabelConfigs",
                };
                format!(
                    "    {key}:
    - action: drop
      regex: go_(gc|memstats|threads)_.*
      sourceLabels:
      - __name__
    - action: replace
      replacement: {}
      targetLabel: team
",
                    dice.words(1)
                )
            }
        };
        let text = format!(
            "\
apiVersion: {group}/{version}
kind: {kind}
metadata:
  annotations:
  name: {name}
  namespace: {namespace}
spec:
  {list}:
  - interval: 30s
{relabelling}    path: /metrics
    port: http
{any}  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
"
        );
        let mut object = self.object((group, version, kind), text);
        namespace.clone_into(&mut object.namespace);
        object
    }
}

/// From the column of its keys, which is 6.
fn small_pod(name: &str) -> String {
    format!(
        "      containers:
      - image: registry.example.com/{name}:1.0.3
        name: app
        ports:
        - containerPort: 8080
          name: http
"
    )
}

fn pod(name: &str, dice: &mut Dice) -> String {
    let mut environment = String::new();
    for number in 0..dice.between(24, 64) {
        let value = match dice.below(6) {
            0 => format!("\"{}\"", dice.below(90000)),
            1 => dice
                .one_of(&["\"yes\"", "\"true\"", "\"off\"", "\"1e3\"", "\"\""])
                .to_owned(),
            2 => format!(
                "http://{}.{}.svc:8080/v1?mode=a&retry=3",
                dice.words(1),
                dice.words(1)
            ),
            3 => format!("'{{{{ {} }}}}'", dice.words(1)),
            4 => dice.words(6),
            _ => {
                writeln!(
                    environment,
                    "        - name: SECRET_{number}\n          valueFrom:\n            secretKeyRef:\n              key: {}\n              name: {name}",
                    dice.words(1)
                )
                .expect("text takes text");
                continue;
            }
        };
        writeln!(
            environment,
            "        - name: SETTING_{number}\n          value: {value}"
        )
        .expect("text takes text");
    }
    let millis = dice.between(1, 20) * 50;
    let mebibytes = dice.between(1, 32) * 64;
    format!(
        "      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - podAffinityTerm:
              labelSelector:
                matchLabels:
                  app.kubernetes.io/name: {name}
              topologyKey: topology.kubernetes.io/zone
            weight: 100
      containers:
      - args:
        - --config=/etc/app/config.yaml
        - --listen=0.0.0.0:8080
        - --labels={{app=\"{name}\"}}
        env:
{environment}        image: registry.example.com/{name}:{}.{}.{}
        imagePullPolicy: IfNotPresent
        livenessProbe:
          failureThreshold: 3
          httpGet:
            path: /healthz
            port: http
          initialDelaySeconds: 10
          periodSeconds: 20
        name: app
        ports:
        - containerPort: 8080
          name: http
          protocol: TCP
        readinessProbe:
          httpGet:
            path: /ready
            port: http
          periodSeconds: 5
        resources:
          limits:
            memory: {mebibytes}Mi
          requests:
            cpu: {millis}m
            memory: {mebibytes}Mi
        securityContext:
          allowPrivilegeEscalation: false
          capabilities:
            drop:
            - ALL
          readOnlyRootFilesystem: true
          runAsNonRoot: true
        volumeMounts:
        - mountPath: /etc/app
          name: config
          readOnly: true
        - mountPath: /tmp
          name: scratch
      - args:
        - -nginx.scrape-uri=http://127.0.0.1:8081/stub_status
        image: registry.example.com/exporter:1.4.2
        name: exporter
        ports:
        - containerPort: 9113
          name: exporter
          protocol: TCP
        resources:
          requests:
            cpu: 10m
            memory: 16Mi
      serviceAccountName: {name}
      terminationGracePeriodSeconds: 60
      volumes:
      - configMap:
          name: {name}
        name: config
      - emptyDir: {{}}
        name: scratch
",
        dice.below(4),
        dice.below(30),
        dice.below(100)
    )
}
