create table if not exists patient (
  tenant text not null, id text not null, name text not null, born text not null, primary key (tenant, id));

create table if not exists encounter (
  tenant text not null, id text not null, patient text not null, reason text not null, primary key (tenant, id));

create table if not exists code_system (id text primary key, title text not null);
