import { describe, expect, it } from '@jest/globals';
import {
  applicationSettingsSchema,
  changeSettings,
  parseSettingText,
  settingWarnings,
  type SettingsError,
} from './application-settings.js';

const faultsOf = (changes: Record<string, unknown>): readonly string[] => {
  try {
    changeSettings({}, changes);
  } catch (error) {
    return (error as SettingsError).faults;
  }
  return [];
};

describe('application settings', () => {
  it('have the defaults of the operating contract', () => {
    expect(applicationSettingsSchema.parse({})).toEqual({
      session_idle_seconds: 7200,
      session_absolute_seconds: 2592000,
      refresh_tokens: false,
      public_clients: false,
      sign_up: 'application_session',
      create_user_on_sign_in: false,
      guests: true,
      guest_idle_days: 30,
      password_min_length: 8,
      common_passwords: 'refuse',
      password_sign_in: 'local',
      first_password: 'fresh_sign_in',
      directory: { user: 'public_fields', application: 'off' },
      allowed_origins: [],
      redirect_uris: [],
      faces: [],
      chat: true,
      chat_password: false,
      chat_checks_count_as_use: true,
      chat_ends_when_idle: false,
    });
  });

  it('store what was chosen and no default', () => {
    expect(changeSettings({ guests: false }, { session_idle_seconds: 60 })).toEqual({
      guests: false,
      session_idle_seconds: 60,
    });
  });

  it('go back to a default with null', () => {
    expect(changeSettings({ guests: false }, { guests: null })).toEqual({});
  });

  it('name every unknown key and bad value, and change nothing', () => {
    const faults = faultsOf({
      session_idle_seconds: 0,
      sign_up: 'maybe',
      gusts: true,
      password_min_length: 65,
    });
    expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual([
      'gusts',
      'password_min_length',
      'session_idle_seconds',
      'sign_up',
    ]);
  });

  it.each([
    ['guests', 'off', false],
    ['guests', 'on', true],
    ['guests', 'false', false],
    ['guests', 'maybe', 'maybe'],
    ['session_idle_seconds', '60', 60],
    ['session_idle_seconds', '1e3', '1e3'],
    ['sign_up', 'server_only', 'server_only'],
    ['allowed_origins', 'https://a.example, https://b.example', ['https://a.example', 'https://b.example']],
    ['allowed_origins', 'none', []],
    ['faces', 'connectycube,kii', ['connectycube', 'kii']],
    ['directory', 'full', { user: 'full', application: 'off' }],
    ['directory', 'user:full,application:public_fields', { user: 'full', application: 'public_fields' }],
    ['guests', 'default', null],
  ])('read %s=%s', (name, typed, value) => {
    expect(parseSettingText(name, typed)).toEqual(value);
  });

  it.each([
    ['allowed_origins', ['https://a.example/path']],
    ['allowed_origins', ['*']],
    ['redirect_uris', ['javascript:alert(1)']],
    ['redirect_uris', ['https://a.example/#x']],
    ['redirect_uris', ['/relative']],
    ['faces', ['telegram']],
    ['password_sign_in', 'a,b,c'],
    ['directory', { user: 'everything', application: 'off' }],
  ])('refuse %s = %j', (name, value) => {
    expect(faultsOf({ [name]: value })).toHaveLength(1);
  });

  it('warn of what hands passwords to somebody else, and of what nothing reads yet', () => {
    expect(settingWarnings({ password_sign_in: 'local,partner' }).join()).toContain('handed to the partner');
    expect(settingWarnings({ faces: ['kii'] })).toHaveLength(1);
    expect(settingWarnings({ guests: false })).toEqual([]);
  });
});
