package org.lethecache.clinic;
class XTest { @org.junit.jupiter.api.Test void x() {} }
