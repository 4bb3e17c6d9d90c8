import { KeyFoot } from '../../actions/key-foot.tsx';
import { PageBar } from '../../actions/page-bar.tsx';
import { attempt } from '../../actions/registry.ts';
import { setTheme } from '../../actions/app.ts';
import { useCore, useUi } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { ui } from '../../state/ui.ts';
import { BudgetFields, Segments } from '../../ui/index.ts';
import { DefaultsForm } from './defaults-form.tsx';
import { Hooks } from './hooks.tsx';
import { ModelTable } from './models.tsx';
import { Providers } from './providers.tsx';
import { RuleList } from '../../actions/rule-list.tsx';
import { SandboxReport } from './sandbox-report.tsx';
import { Section, SectionNav } from './section.tsx';
import './settings.css';

const THEMES = [
  { id: 'system', label: 'As the system' },
  { id: 'light', label: 'Light' },
  { id: 'dark', label: 'Dark' },
] as const;
const DIFFS = [
  { id: 'usual', label: 'Green and red' },
  { id: 'blind', label: 'Blue and orange' },
] as const;

function Looks() {
  const theme = useUi((state) => state.theme);
  const blind = useUi((state) => state.colourBlindDiff);
  return (
    <>
      <div className="row">
        <span className="set-label">Theme</span>
        <Segments label="Theme" options={THEMES} value={theme} onChange={(next) => void attempt(() => setTheme(next), null)} />
      </div>
      <div className="row">
        <span className="set-label">Diff colours</span>
        <Segments
          label="Diff colours"
          options={DIFFS}
          value={blind ? 'blind' : 'usual'}
          onChange={(next) => ui.setState({ colourBlindDiff: next === 'blind' })}
        />
      </div>
    </>
  );
}

const SECTIONS = [
  { id: 'providers', title: 'Providers' },
  { id: 'models', title: 'Models' },
  { id: 'tasks', title: 'New tasks' },
  { id: 'budgets', title: 'Budgets' },
  { id: 'looks', title: 'Appearance' },
  { id: 'sandbox', title: 'Sandbox' },
  { id: 'rules', title: 'Saved rules' },
  { id: 'hooks', title: 'Hooks' },
] as const;

/** Everything that can be set, written as soon as it is left. */
export function SettingsPage() {
  const host = useCore((state) => state.host);
  const settings = useCore((state) => state.board!.settings);
  return (
    <main className="main" data-scope="settings">
      <PageBar
        title="Settings"
        after={
          <p className="fleet">
            <span>Signalbox {host?.version}</span>
          </p>
        }
      />
      <div className="page">
        <div className="settings">
          <SectionNav sections={SECTIONS} />
          <div className="settings-in">
            <Section id="providers" title="Providers">
              <Providers settings={settings} />
            </Section>
            <Section id="models" title="Models">
              <ModelTable settings={settings} />
            </Section>
            <Section id="tasks" title="New tasks">
              <DefaultsForm settings={settings} write={(change) => void attempt(() => rpc().call('settings/write', { change }), null)} />
            </Section>
            <Section id="budgets" title="Budgets">
              <BudgetFields
                value={settings.defaults.budgets ?? {}}
                wider={{}}
                onChange={(budgets) =>
                  void attempt(() => rpc().call('settings/write', { change: { defaults: { ...settings.defaults, budgets } } }), null)
                }
              />
            </Section>
            <Section id="looks" title="Appearance">
              <Looks />
            </Section>
            <Section id="sandbox" title="Sandbox">
              <SandboxReport />
            </Section>
            <Section id="rules" title="Saved rules">
              <RuleList />
            </Section>
            <Section id="hooks" title="Hooks">
              <Hooks />
            </Section>
            <p className="xs faint">
              Data: <code>{host?.home}</code>
            </p>
          </div>
        </div>
      </div>
      <KeyFoot scopes={['settings']} extra={[['escape', 'Back to the board']]} />
    </main>
  );
}
