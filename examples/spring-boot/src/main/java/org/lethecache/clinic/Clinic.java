package org.lethecache.clinic;
class Clinic {}
