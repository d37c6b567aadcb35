insert into patient (tenant, id, name, born) values
  ('TENANT001', '12345', 'A. Example', '1970-01-01'),
  ('TENANT001', '67890', 'B. Example', '1985-05-05'),
  ('TENANT002', '12345', 'C. Example', '1999-09-09')
  on conflict do nothing;

insert into encounter (tenant, id, patient, reason) values
  ('TENANT001', '77', '12345', 'check-up'),
  ('TENANT001', '78', '12345', 'vaccination')
  on conflict do nothing;

insert into code_system (id, title) values
  ('icd10', 'International Classification of Diseases'),
  ('loinc', 'Logical Observation Identifiers')
  on conflict do nothing;
