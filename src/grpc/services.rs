//! The names of all services that are served.

use crate::proto::temporarypin::v1::{
    operator_service_server, redemption_service_server, temporary_pin_service_server,
};

pub(super) use tonic_health::pb::health_server::SERVICE_NAME as HEALTH;
pub(super) use tonic_reflection::pb::v1::server_reflection_server::SERVICE_NAME as REFLECTION;
pub(super) use tonic_reflection::pb::v1alpha::server_reflection_server::SERVICE_NAME as REFLECTION_ALPHA;

/// The channels' service.
pub(super) const TEMPORARY_PIN: &str = temporary_pin_service_server::SERVICE_NAME;

/// The authenticator core's service.
pub(super) const REDEMPTION: &str = redemption_service_server::SERVICE_NAME;

/// The operators' service.
pub(super) const OPERATOR: &str = operator_service_server::SERVICE_NAME;

/// The services of our contract.
pub(super) const OURS: [&str; 3] = [TEMPORARY_PIN, REDEMPTION, OPERATOR];

/// Whether a path, `/package.Service/Method`, is one of our contract.
pub(super) fn is_ours(path: &str) -> bool {
    path.starts_with("/temporarypin.v1.")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::super::observe::METHODS;
    use super::*;
    use crate::proto::DESCRIPTOR_SET;

    #[test]
    fn every_rpc_of_the_contract_is_named_here_and_observed() {
        let contract = FileDescriptorSet::decode(DESCRIPTOR_SET).unwrap();
        let (mut services, mut methods) = (BTreeSet::new(), BTreeSet::new());
        for file in contract.file.iter().filter(|file| file.package() == "temporarypin.v1") {
            for service in &file.service {
                let name = format!("{}.{}", file.package(), service.name());
                methods.extend(service.method.iter().map(|method| format!("{name}/{}", method.name())));
                services.insert(name);
            }
        }
        assert_eq!(services, OURS.map(String::from).into());
        assert_eq!(methods, METHODS.map(String::from).into());
    }
}
