//! Names of all services that the server offers.

use crate::proto::temporarypin::v1::{
    operator_service_server, redemption_service_server, temporary_pin_service_server,
};

pub(super) use tonic_health::pb::health_server::SERVICE_NAME as HEALTH;
pub(super) use tonic_reflection::pb::v1::server_reflection_server::SERVICE_NAME as REFLECTION;
pub(super) use tonic_reflection::pb::v1alpha::server_reflection_server::SERVICE_NAME as REFLECTION_ALPHA;

/// The service for channels.
pub(super) const TEMPORARY_PIN: &str = temporary_pin_service_server::SERVICE_NAME;

/// The service for the authenticator core.
pub(super) const REDEMPTION: &str = redemption_service_server::SERVICE_NAME;

/// The service for operators.
pub(super) const OPERATOR: &str = operator_service_server::SERVICE_NAME;

/// The services of our contract.
pub(super) const CONTRACT_SERVICES: [&str; 3] = [TEMPORARY_PIN, REDEMPTION, OPERATOR];

/// Prefix of the path of every method of our contract.
const CONTRACT_PATH_PREFIX: &str = "/temporarypin.v1.";

/// Whether a path, `/package.Service/Method`, belongs to our contract.
pub(super) fn is_in_contract(path: &str) -> bool {
    path.starts_with(CONTRACT_PATH_PREFIX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::super::observability::OBSERVED_METHODS;
    use super::*;
    use crate::proto::DESCRIPTOR_SET;

    #[test]
    fn every_service_of_the_contract_is_named_here_and_every_method_is_observed() {
        let contract = FileDescriptorSet::decode(DESCRIPTOR_SET).unwrap();
        let (mut services, mut methods) = (BTreeSet::new(), BTreeSet::new());
        for file in contract.file.iter().filter(|file| file.package() == "temporarypin.v1") {
            for service in &file.service {
                let name = format!("{}.{}", file.package(), service.name());
                methods.extend(service.method.iter().map(|method| format!("{name}/{}", method.name())));
                services.insert(name);
            }
        }
        assert_eq!(services, CONTRACT_SERVICES.map(String::from).into());
        assert_eq!(methods, OBSERVED_METHODS.map(String::from).into());
    }
}
