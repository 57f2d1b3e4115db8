# The pillar of the lab's site; its addresses are those of topology.toml.
hadb:
  cluster_name: nova-db
  nodes:
    db1:
      address: 10.20.0.11
      links: [172.16.1.1, 172.16.2.1]
      bmc: {address: 10.20.0.101, username: hadb, password: lab-only-bmc}
    db2:
      address: 10.20.0.12
      links: [172.16.1.2, 172.16.2.2]
      bmc: {address: 10.20.0.102, username: hadb, password: lab-only-bmc}
  heartbeat:
    interfaces: [vec1, vec2]
  storage:
    luns:
      - {wwid: '360014051000000000000000000000000', min_size: 3000000000}
  database:
    accounts:
      nova: {password: lab-only-nova}
      glance: {password: lab-only-glance, grants: {glance: ALL PRIVILEGES}}
    databases:
      glance: {}
  vips:
    nova: {address: 10.20.0.50, prefix_length: 24, interface: vec0}
    glance: {address: 10.20.0.51, prefix_length: 24, interface: vec0}
  fencing:
    cipher: 3                   # ipmi_sim knows no suite 17
